using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class StressOnManaged(ManagedEngineHost host) : StressConformance(host);
