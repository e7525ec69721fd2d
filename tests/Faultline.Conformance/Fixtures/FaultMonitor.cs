using System;
using System.Diagnostics;
using Xunit;

namespace Faultline.Conformance;

/// <summary>A userfaultfd after its handshake, with ways to wait for its messages that always end.</summary>
public sealed class FaultMonitor : IDisposable
{
    private readonly IUserfaultfdPoller _poller;
    private readonly UserfaultfdMessage[] _one = new UserfaultfdMessage[1];
    private readonly long[] _ready = new long[1];

    /// <summary>Wraps a context that has been opened with <see cref="UserfaultfdOptions.NonBlocking"/>.</summary>
    public FaultMonitor(IMemoryEngine engine, IUserfaultfd uffd)
    {
        Uffd = uffd;
        _poller = engine.CreatePoller();
        Expect.Ok(_poller.Add(uffd, tag: 1));
    }

    /// <summary>The context.</summary>
    public IUserfaultfd Uffd { get; }

    /// <summary>Registers, which must succeed.</summary>
    public UserfaultfdIoctls Register(AddressRange range, RegisterModes modes)
    {
        RegisterResult result = Uffd.Register(range, modes);
        Assert.Equal(Errno.None, result.Errno);
        return result.Ioctls;
    }

    /// <summary>Waits for the next message.</summary>
    public UserfaultfdMessage NextMessage()
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            SystemResult<int> read = Uffd.Read(_one);
            if (read.Errno == Errno.None)
            {
                Assert.Equal(1, read.Value);
                return _one[0];
            }

            Assert.Equal(Errno.EAGAIN, read.Errno);
            TimeSpan left = Deadline.Normal - Stopwatch.GetElapsedTime(start);
            Assert.True(left > TimeSpan.Zero, $"No message came within {Deadline.Normal.TotalSeconds:0} s.");
            Expect.Ok(_poller.Wait(_ready, (int)left.TotalMilliseconds + 1));
        }
    }

    /// <summary>Waits for a page fault with exactly these flags at exactly this address.</summary>
    public UserfaultfdMessage ExpectFault(PageFaultFlags flags, VirtualAddress address)
    {
        UserfaultfdMessage message = NextMessage();
        Assert.Equal(UserfaultfdEvent.PageFault, message.Event);
        Assert.Equal((flags, address), (message.Flags, message.Address));
        return message;
    }

    /// <summary>Waits for an event with a range.</summary>
    public UserfaultfdMessage ExpectEvent(UserfaultfdEvent kind, AddressRange range)
    {
        UserfaultfdMessage message = NextMessage();
        Assert.Equal(kind, message.Event);
        Assert.Equal(range, message.Range);
        return message;
    }

    /// <summary>Fails if a message is there now.</summary>
    public void ExpectNothingQueued()
    {
        SystemResult<int> read = Uffd.Read(_one);
        Assert.True(read.Errno == Errno.EAGAIN, $"Expected no message but read answered {read.Errno} {_one[0]}.");
    }

    /// <summary>Waits until this many faults are queued and unread.</summary>
    public void AwaitPending(int count)
    {
        Testbed.Until($"{count} faults are queued", () => Expect.Ok(Uffd.GetCounts()).Pending == count);
    }

    /// <summary>Repeats a fill as long as the address space is changing: the counter drops in the thread that made the event, not in read (9.1).</summary>
    public FillResult Retry(Func<IUserfaultfd, FillResult> fill)
    {
        FillResult result = default;
        Testbed.Until("the address space has stopped changing", () => !(result = fill(Uffd)).IsChanging);
        return result;
    }

    /// <summary>Repeats a call that answers EAGAIN as long as the address space is changing.</summary>
    public SystemResult Retry(Func<IUserfaultfd, SystemResult> call)
    {
        SystemResult result = default;
        Testbed.Until("the address space has stopped changing", () => (result = call(Uffd)).Errno != Errno.EAGAIN);
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _poller.Remove(Uffd);
        _poller.Dispose();
        Uffd.Dispose();
    }
}
