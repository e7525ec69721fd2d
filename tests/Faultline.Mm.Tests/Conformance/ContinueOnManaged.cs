using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class ContinueOnManaged(ManagedEngineHost host) : ContinueConformance(host);
