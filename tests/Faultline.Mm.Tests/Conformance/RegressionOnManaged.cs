using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class RegressionOnManaged(ManagedEngineHost host) : RegressionConformance(host);
