using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugetlbCallsOnManaged(ManagedEngineHost host) : HugetlbCallsConformance(host);
