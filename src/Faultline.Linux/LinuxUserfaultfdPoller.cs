using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>One epoll(7) instance for many userfaultfds, and two eventfds to wake and to stop its waiters.</summary>
/// <remarks>Disposing stops the waiters; the descriptors go when the last of them is out.</remarks>
public sealed unsafe class LinuxUserfaultfdPoller : IUserfaultfdPoller
{
    private const ulong WakeSlot = ulong.MaxValue;
    private const ulong StopSlot = ulong.MaxValue - 1;
    private const int MaximumBatch = 62;

    // struct epoll_event is packed on x86-64 alone.
    private static readonly int EventSize = SystemCallNumbers.IsX64 ? sizeof(epoll_event) : sizeof(epoll_event_aligned);
    private static readonly int SlotOffset = SystemCallNumbers.IsX64 ? 4 : 8;

    // Owns the two eventfds too: none of the three may go while a waiter is inside.
    private readonly LinuxDescriptor _epoll;
    private readonly int _wake;
    private readonly int _stop;

    // Guards the slots. Waiters read them without it: a slot is written before epoll knows it, and the array is only ever replaced.
    private readonly Lock _gate = new();
    private LinuxUserfaultfd?[] _contexts = new LinuxUserfaultfd?[8];
    private long[] _tags = new long[8];
    private int _isStopped;

    internal LinuxUserfaultfdPoller()
    {
        int epoll = Opened(LibC.epoll_create1(epoll_h.EPOLL_CLOEXEC), "epoll_create1");
        _wake = Opened(LibC.eventfd(0, epoll_h.EFD_SEMAPHORE | epoll_h.EFD_NONBLOCK | epoll_h.EFD_CLOEXEC), "eventfd", epoll);
        _stop = Opened(LibC.eventfd(0, epoll_h.EFD_NONBLOCK | epoll_h.EFD_CLOEXEC), "eventfd", epoll, _wake);
        _epoll = new LinuxDescriptor(epoll, _wake, _stop);
        AddDescriptor(_wake, WakeSlot).OrThrow("epoll_ctl");
        AddDescriptor(_stop, StopSlot).OrThrow("epoll_ctl");
    }

    /// <inheritdoc/>
    public SystemResult Add(IUserfaultfd context, long tag)
    {
        LinuxUserfaultfd linux = Own(context);
        if ((linux.Options & UserfaultfdOptions.NonBlocking) == 0)
        {
            return new(Errno.EINVAL);
        }

        lock (_gate)
        {
            int slot = Array.IndexOf(_contexts, null);
            if (slot < 0)
            {
                slot = _contexts.Length;
                Array.Resize(ref _contexts, slot * 2);
                long[] larger = new long[slot * 2];
                _tags.CopyTo(larger, 0);
                Volatile.Write(ref _tags, larger);
            }

            Volatile.Write(ref _tags[slot], tag);
            if (!linux.LinuxDescriptor.TryEnter())
            {
                return new(Errno.EBADF);
            }

            SystemResult result = AddDescriptor(linux.LinuxDescriptor.Number, (ulong)slot);
            linux.LinuxDescriptor.Leave();
            if (result.IsOk)
            {
                _contexts[slot] = linux;
            }

            return result;
        }
    }

    /// <inheritdoc/>
    public SystemResult Remove(IUserfaultfd context)
    {
        LinuxUserfaultfd linux = Own(context);
        lock (_gate)
        {
            int slot = Array.IndexOf(_contexts, linux);
            if (slot < 0)
            {
                return new(Errno.ENOENT);
            }

            _contexts[slot] = null;
            if (!linux.LinuxDescriptor.TryEnter())
            {
                return new(Errno.ENOENT);
            }

            Errno errno = Errno.EBADF;
            if (_epoll.TryEnter())
            {
                errno = LibC.ErrnoOf(LibC.epoll_ctl(_epoll.Number, epoll_h.EPOLL_CTL_DEL, linux.LinuxDescriptor.Number, null));
                _epoll.Leave();
            }

            linux.LinuxDescriptor.Leave();
            return new(errno);
        }
    }

    /// <inheritdoc/>
    public SystemResult<int> Wait(Span<long> ready, int timeoutMs)
    {
        if (ready.IsEmpty)
        {
            return new(0, Errno.EINVAL);
        }

        if (!_epoll.TryEnter())
        {
            return new(0, Errno.ECANCELED);
        }

        SystemResult<int> result = WaitEntered(ready, timeoutMs);
        _epoll.Leave();
        return result;
    }

    /// <inheritdoc/>
    public void Wake() => Signal(_wake);

    /// <inheritdoc/>
    public void Stop()
    {
        Volatile.Write(ref _isStopped, 1);
        Signal(_stop);
    }

    /// <summary>Stops the waiters and closes.</summary>
    public void Dispose()
    {
        Stop();
        _epoll.Dispose();
    }

    private static int Opened(int descriptor, string call, int openBefore = -1, int openBeforeThat = -1)
    {
        if (descriptor == -1)
        {
            Errno errno = LibC.LastErrno();
            _ = LibC.close(openBefore);
            _ = LibC.close(openBeforeThat);
            throw new MemoryEngineException(call, default, errno, "Close some descriptors, or raise the limit (ulimit -n).");
        }

        return descriptor;
    }

    private static LinuxUserfaultfd Own(IUserfaultfd context) =>
        context as LinuxUserfaultfd
        ?? throw new ArgumentException("The userfaultfd was made by another engine. Use this engine's contexts with its pollers.", nameof(context));

    private void Signal(int eventDescriptor)
    {
        if (_epoll.TryEnter())
        {
            ulong one = 1;
            _ = LibC.write(eventDescriptor, &one, sizeof(ulong));
            _epoll.Leave();
        }
    }

    private SystemResult AddDescriptor(int descriptor, ulong slot)
    {
        if (!_epoll.TryEnter())
        {
            return new(Errno.EBADF);
        }

        byte* ready = stackalloc byte[16];
        *(uint*)ready = epoll_h.EPOLLIN;
        Unsafe.WriteUnaligned(ready + SlotOffset, slot);
        Errno errno = LibC.ErrnoOf(LibC.epoll_ctl(_epoll.Number, epoll_h.EPOLL_CTL_ADD, descriptor, ready));
        _epoll.Leave();
        return new(errno);
    }

    [SkipLocalsInit]
    private SystemResult<int> WaitEntered(Span<long> ready, int timeoutMs)
    {
        byte* events = stackalloc byte[(MaximumBatch + 2) * 16];
        int room = Math.Min(ready.Length, MaximumBatch);
        long startedAt = timeoutMs > 0 ? Stopwatch.GetTimestamp() : 0;
        int remainingMs = timeoutMs;
        while (true)
        {
            if (Volatile.Read(ref _isStopped) != 0)
            {
                return new(0, Errno.ECANCELED);
            }

            int count = LibC.epoll_wait(_epoll.Number, events, room + 2, remainingMs);
            Errno errno = LibC.ErrnoOf(count);
            if (errno is not (Errno.None or Errno.EINTR))
            {
                return new(0, errno);
            }

            int tags = Collect(events, count, ready[..room], out bool isWoken);
            if (Volatile.Read(ref _isStopped) != 0)
            {
                return new(0, Errno.ECANCELED);
            }

            if (tags > 0 || isWoken || count == 0)
            {
                return new(tags, Errno.None);
            }

            // A signal, or a wake that another waiter took: round again for what is left of the time.
            if (timeoutMs > 0)
            {
                remainingMs = Math.Max(0, timeoutMs - (int)Math.Min(int.MaxValue, Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds));
            }
        }
    }

    // Level-triggered readiness comes back with the next wait, so what does not fit is not lost.
    private int Collect(byte* events, int count, Span<long> ready, out bool isWoken)
    {
        isWoken = false;
        int tags = 0;
        long[] known = Volatile.Read(ref _tags);
        for (int i = 0; i < count; i++)
        {
            ulong slot = Unsafe.ReadUnaligned<ulong>(events + (i * EventSize) + SlotOffset);
            if (slot == WakeSlot)
            {
                isWoken = TakeWake();
            }
            else if (slot != StopSlot && tags < ready.Length)
            {
                ready[tags++] = Volatile.Read(ref known[slot]);
            }
        }

        return tags;
    }

    private bool TakeWake()
    {
        ulong value;
        return LibC.read(_wake, &value, sizeof(ulong)) == sizeof(ulong);
    }
}
