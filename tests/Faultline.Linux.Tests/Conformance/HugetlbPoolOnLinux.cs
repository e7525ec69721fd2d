using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Alone, for the pool is the machine's: another case that takes huge pages would be counted along.</summary>
[Collection(AloneCollection.Name)]
public sealed class HugetlbPoolOnLinux(LinuxEngineHost host, HugePagePoolAlone alone) : HugetlbPoolConformance(host), IClassFixture<HugePagePoolAlone>
{
    /// <summary>Held by the fixture for as long as the class runs.</summary>
    public HugePagePoolAlone Alone { get; } = alone;
}
