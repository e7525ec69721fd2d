using System.Collections.Generic;
using System.Threading.Tasks;
using Faultline.Conformance;
using Faultline.Linux.Abi;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Fork events and descriptors. No other test may run: all descriptors of the process are used up for a moment.</summary>
[Collection(AloneCollection.Name)]
public sealed class ForkEventTests
{
    [Fact(Timeout = 200_000)]
    public async Task Read_OfForkEventWithoutFreeDescriptor_AnswersEmfileAndKeepsTheEvent()
    {
        Require.KernelFaults();
        using LinuxEngine engine = new();
        Assert.SkipUnless(engine.Capabilities.ManyAddressSpaces.IsAvailable, engine.Capabilities.ManyAddressSpaces.Reason);
        using IAddressSpace parent = engine.CreateAddressSpace().OrThrow("clone");
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(parent, UserfaultfdFeatures.EventFork);
        Assert.SkipWhen(opened.Errno == Errno.EPERM, "FORK events need CAP_SYS_PTRACE.");
        using IUserfaultfd context = opened.OrThrow("userfaultfd");
        VirtualAddress at = parent.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap");
        Assert.True(context.Register(new(at, PageSize.Small), RegisterModes.Missing).IsOk);
        using IUserfaultfdPoller poller = engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Task<SystemResult<IAddressSpace>> forking = ChildrenForkTests.StartAsync(parent.Fork);
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));

        var messages = new UserfaultfdMessage[2];
        Errno full = ReadWithAllDescriptorsInUse(context, messages);
        Assert.Equal(Errno.EMFILE, full);
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
        Assert.Equal(1, context.Read(messages).OrThrow("read"));
        Assert.Equal(UserfaultfdEvent.Fork, messages[0].Event);
        using IUserfaultfd forked = messages[0].Forked!;
        Assert.Equal(context.Features, forked.Features);
        Assert.Equal(context.Options, forked.Options);
        Assert.Equal(Errno.EINVAL, forked.Handshake(UserfaultfdFeatures.None).Errno);
        using IAddressSpace child = (await forking.WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken)).OrThrow("fork");
        Assert.True(forked.Zeropage(new(at, PageSize.Small)).IsOk);
    }

    private static Errno ReadWithAllDescriptorsInUse(IUserfaultfd context, UserfaultfdMessage[] messages)
    {
        List<int> taken = new(1 << 20);
        try
        {
            int descriptor = LibC.fcntl(0, fcntl_h.F_DUPFD_CLOEXEC, 0);
            while (descriptor >= 0)
            {
                taken.Add(descriptor);
                descriptor = LibC.fcntl(0, fcntl_h.F_DUPFD_CLOEXEC, 0);
            }

            return context.Read(messages).Errno;
        }
        finally
        {
            foreach (int descriptor in taken)
            {
                _ = LibC.close(descriptor);
            }
        }
    }
}
