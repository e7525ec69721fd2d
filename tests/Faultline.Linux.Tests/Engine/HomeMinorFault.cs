using System;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class HomeMinorFault
{
    private const ulong PageSizeBytes = PageSize.Small;

    [Fact(Timeout = 200_000)]
    public async Task Continue_AfterMinorFault_LetsReaderSeeCachedPage()
    {
        Require.KernelFaults();
        using LinuxEngine engine = new();
        Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        using IMemoryFile file = engine.CreateMemoryFile(new() { Name = "minor", Size = 4 * PageSizeBytes }).OrThrow("memfd_create");
        Assert.Equal(8, file.Write(PageSizeBytes, BitConverter.GetBytes(0x1122334455667788UL)).OrThrow("pwrite"));
        VirtualAddress at = engine.Home.Map(MapRequest.SharedFile(file, 4 * PageSizeBytes)).OrThrow("mmap");
        using IUserfaultfd context = UserfaultfdHandshake.Open(engine.Home, UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.ThreadId).OrThrow("userfaultfd");
        AddressRange range = new(at, 4 * PageSizeBytes);
        Assert.True(context.Register(range, RegisterModes.Minor | RegisterModes.Missing).IsOk);
        using IUserfaultfdPoller poller = engine.CreatePoller();
        poller.Add(context, 7).OrThrow("epoll_ctl");
        using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");

        Task<(AccessResult Result, ulong Value)> reading = Task.Run(() =>
        {
            AccessResult result = access.Load(at + PageSizeBytes, out ulong value);
            return (result, value);
        });

        long[] tags = new long[4];
        Assert.Equal(1, poller.Wait(tags, Deadline.NormalMs).OrThrow("epoll_wait"));
        Assert.Equal(7, tags[0]);
        var messages = new UserfaultfdMessage[4];
        Assert.Equal(1, context.Read(messages).OrThrow("read"));
        Assert.Equal(PageFaultKind.Minor, messages[0].Kind);
        Assert.Equal(at + PageSizeBytes, messages[0].Address);
        Assert.Equal(access.ThreadId, messages[0].ThreadId);
        FillResult filled = context.Continue(new(messages[0].Address, PageSizeBytes));
        Assert.Equal(new FillResult(Errno.None, (long)PageSizeBytes), filled);
        (AccessResult loaded, ulong seen) = await reading;
        Assert.True(loaded.IsOk);
        Assert.Equal(0x1122334455667788UL, seen);
        Assert.Equal(new FillResult(Errno.EEXIST, -(long)Errno.EEXIST), context.Continue(new(at + PageSizeBytes, PageSizeBytes)));
        engine.Home.Unmap(range).OrThrow("munmap");
    }
}
