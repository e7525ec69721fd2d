using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugetlbFileOnManaged(ManagedEngineHost host) : HugetlbFileConformance(host);
