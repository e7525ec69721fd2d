using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class FaultMessageOnManaged(ManagedEngineHost host) : FaultMessageConformance(host);
