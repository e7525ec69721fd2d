using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Linux;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

/// <summary>Defects of the running kernel that programs leave out, shown on the kernel alone.</summary>
[Collection(nameof(AloneCollection))]
public sealed class KernelDefectTests(KernelMeans means)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // The call is made by a process of its own, which is killed under it. A kernel that comes back does not have the defect.
    [Fact]
    public async Task GuardInstall_OverAProtectedEntryOfAFile_KernelDoesNotComeBack()
    {
        KernelMeans.RequireKernel();
        using var engine = new LinuxEngine();
        IAddressSpace space = engine.CreateAddressSpace().OrThrow("Making an address space");
        Task<SystemResult> call;
        try
        {
            AddressRange page = Protected(engine, space);
            call = Task.Factory.StartNew(
                () => space.Advise(page, Advice.GuardInstall), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (await Task.WhenAny(call, Task.Delay(Long, TestContext.Current.CancellationToken)) == call)
            {
                Assert.Skip("This kernel comes back from MADV_GUARD_INSTALL over a protected entry of a file: it does not have the defect.");
            }
        }
        finally
        {
            space.Dispose();
        }

        Assert.Equal(Errno.ESRCH, (await call.WaitAsync(Deadline, TestContext.Current.CancellationToken)).Errno);
    }

    // Registering without write-protection leaves the bit behind. A kernel that ends the write does not have the defect.
    [Fact]
    public async Task Store_ToHugetlbWithProtectionLeftBehind_KernelDoesNotComeBack()
    {
        means.RequireHugePages();
        using var engine = new LinuxEngine();
        IAddressSpace space = engine.CreateAddressSpace().OrThrow("Making an address space");
        Task<AccessResult> store;
        try
        {
            MapRequest request = new()
            {
                Length = PageSize.Huge,
                Protection = Protections.ReadWrite,
                Options = MapOptions.Private | MapOptions.Anonymous | MapOptions.HugeTlb,
            };
            var page = new AddressRange(space.Map(in request).OrThrow("Mapping a huge page"), PageSize.Huge);
            IUserfaultfd context = space.OpenUserfaultfd(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec).OrThrow("Opening a context");
            Assert.True(context.Handshake(UserfaultfdFeatures.WriteProtectHugetlbfsShmem).IsOk);
            IMemoryAccess access = space.OpenAccess(AccessMode.User).OrThrow("Opening an accessor");
            Assert.True(access.Store(page.Start, 1).IsOk);
            Assert.Equal(Errno.None, context.Register(page, RegisterModes.WriteProtect).Errno);
            Assert.Equal(Errno.None, context.WriteProtect(page, WriteProtectModes.Protect).Errno);
            Assert.Equal(Errno.None, context.Register(page, RegisterModes.Missing).Errno);
            store = Task.Factory.StartNew(
                () => access.Store(page.Start, 2), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (await Task.WhenAny(store, Task.Delay(Long, TestContext.Current.CancellationToken)) == store)
            {
                Assert.Skip("This kernel ends a write to hugetlb with protection left behind: it does not have the defect.");
            }
        }
        finally
        {
            space.Dispose();
        }

        Assert.False((await store.WaitAsync(Deadline, TestContext.Current.CancellationToken)).IsOk);
    }

    [Fact]
    public void Collapse_OfAFileOverPoison_KernelLosesThePoison()
    {
        KernelMeans.RequireKernel();
        using var engine = new LinuxEngine();
        using IAddressSpace space = engine.CreateAddressSpace().OrThrow("Making an address space");
        MapRequest request = new()
        {
            Address = new(0x20_0000_0000),
            Length = PageSize.Huge,
            Protection = Protections.ReadWrite,
            Options = MapOptions.Shared | MapOptions.FixedNoReplace,
            File = engine.CreateMemoryFile(new MemoryFileOptions { Name = "poisoned", Size = PageSize.Huge }).OrThrow("Making a file"),
        };
        var page = new AddressRange(space.Map(in request).OrThrow("Mapping it"), PageSize.Small);
        using IMemoryAccess access = space.OpenAccess(AccessMode.User).OrThrow("Opening an accessor");
        using (IUserfaultfd context = space.OpenUserfaultfd(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec).OrThrow("Opening a context"))
        {
            Assert.True(context.Handshake(UserfaultfdFeatures.Poison).IsOk);
            Assert.Equal(Errno.None, context.Register(page, RegisterModes.Missing).Errno);
            Assert.Equal(Errno.None, context.Poison(page, FillModes.None).Errno);
        }

        Assert.Equal(AccessFault.BusError, access.Load(page.Start, out _).Fault);
        Assert.True(access.Store(page.Start + (PageSize.Huge - PageSize.Small), 1).IsOk);
        SystemResult collapsed = space.Advise(page with { Length = PageSize.Huge }, Advice.Collapse);
        Assert.SkipWhen(!collapsed.IsOk, $"This kernel does not collapse here: {collapsed.Errno}.");
        AccessResult load = access.Load(page.Start, out ulong value);
        Assert.SkipWhen(!load.IsOk, "This kernel keeps the poison: it does not have the defect.");
        Assert.Equal(0UL, value);
    }

    private static AddressRange Protected(LinuxEngine engine, IAddressSpace space)
    {
        MapRequest request = new()
        {
            Length = PageSize.Small,
            Protection = Protections.ReadWrite,
            Options = MapOptions.Shared,
            File = engine.CreateMemoryFile(new MemoryFileOptions { Name = "guarded", Size = PageSize.Small }).OrThrow("Making a file"),
        };
        var page = new AddressRange(space.Map(in request).OrThrow("Mapping it"), PageSize.Small);
        IUserfaultfd context = space.OpenUserfaultfd(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec).OrThrow("Opening a context");
        Assert.True(context.Handshake(UserfaultfdFeatures.WriteProtectHugetlbfsShmem).IsOk);
        Assert.Equal(Errno.None, context.Register(page, RegisterModes.WriteProtect).Errno);
        using IMemoryAccess access = space.OpenAccess(AccessMode.User).OrThrow("Opening an accessor");
        Assert.True(access.Store(page.Start, 1).IsOk);
        Assert.Equal(Errno.None, context.WriteProtect(page, WriteProtectModes.Protect).Errno);
        return page;
    }
}
