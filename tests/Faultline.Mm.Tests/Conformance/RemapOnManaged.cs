using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class RemapOnManaged(ManagedEngineHost host) : RemapConformance(host);
