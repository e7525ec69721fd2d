using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugetlbPoolOnManaged(ManagedEngineHost host) : HugetlbPoolConformance(host);
