using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class ZeropageOnManaged(ManagedEngineHost host) : ZeropageConformance(host);
