using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class ShmemOnManaged(ManagedEngineHost host) : ShmemConformance(host);
