using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugetlbFillOnManaged(ManagedEngineHost host) : HugetlbFillConformance(host);
