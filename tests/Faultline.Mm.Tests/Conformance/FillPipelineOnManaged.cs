using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class FillPipelineOnManaged(ManagedEngineHost host) : FillPipelineConformance(host);
