using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class CreationOnManaged(ManagedEngineHost host) : CreationConformance(host);
