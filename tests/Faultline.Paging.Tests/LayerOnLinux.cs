using Faultline.Linux;
using Xunit;

namespace Faultline.Paging.Tests;

public sealed class LayerOnLinux(HugePagesOnLinux hugePages) : LayerTests(new LinuxEngine()), IClassFixture<HugePagesOnLinux>
{
    /// <summary>Held by the fixture for as long as the class runs.</summary>
    public HugePagesOnLinux HugePages { get; } = hugePages;
}
