using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugetlbOnManaged(ManagedEngineHost host) : HugetlbConformance(host);
