using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class RegressionRaceOnManaged(ManagedEngineHost host) : RegressionRaceConformance(host);
