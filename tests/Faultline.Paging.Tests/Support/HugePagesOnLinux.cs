using System;
using Faultline.Linux.Machine;

namespace Faultline.Paging.Tests;

/// <summary>Huge pages in the kernel's pool for as long as a class runs, given back afterwards. Where there are none, its cases are skipped.</summary>
public sealed class HugePagesOnLinux : IDisposable
{
    private readonly HugePageUse _use = HugePageUse.Shared();
    private readonly BorrowedHugePages _pages = BorrowedHugePages.Take();

    public void Dispose()
    {
        _pages.Dispose();
        _use.Dispose();
    }
}
