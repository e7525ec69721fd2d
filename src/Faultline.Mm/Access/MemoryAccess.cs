using System;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The "processor" of one thread: loads and stores at virtual addresses through a software TLB, and faults where there is no translation.
/// </summary>
internal sealed unsafe class MemoryAccess : IMemoryAccess
{
    /// <summary>The most pages that are read between two points at which a shoot-down is noticed.</summary>
    private const int PagesPerAccess = 16;

    private readonly MmState _mm;
    private readonly SoftwareTlb _tlb;
    private readonly ReaderSlot _slot;
    private readonly FaultWaiter _waiter;
    private long _minorFaults;
    private long _majorFaults;
    private int _isDisposed;

    public MemoryAccess(MmState mm, AccessMode mode)
    {
        _mm = mm;
        Mode = mode;
        _slot = mm.VmaLocks.AddReader();
        _waiter = new FaultWaiter { Slot = _slot };
        _tlb = new SoftwareTlb(mm.System.Memory, mm.Table, mm.Shootdown);
    }

    public AccessMode Mode { get; }

    public uint ThreadId => _waiter.ThreadId;

    public FaultCounts FaultCounts => new(Volatile.Read(ref _minorFaults), Volatile.Read(ref _majorFaults));

    public AccessResult Read(VirtualAddress source, Span<byte> target)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        int done = 0;
        while (true)
        {
            done += ReadResident(source.Value + (ulong)done, target[done..]);
            if (done == target.Length)
            {
                return new AccessResult(AccessFault.None, default, (ulong)done);
            }

            // Not there, or enough pages for one access: the next one tells.
            ulong address = source.Value + (ulong)done;
            _tlb.Begin();
            bool isThere = _tlb.TranslateLoad(address) is not null;
            _tlb.End();
            if (!isThere && !TryFault(address, isWrite: false, (ulong)done, out AccessResult result))
            {
                return result;
            }
        }
    }

    public AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        int done = 0;
        while (done < source.Length)
        {
            ulong address = target.Value + (ulong)done;
            int count = Math.Min(source.Length - done, ToPageEnd(address));
            _tlb.Begin();
            byte* host = _tlb.TranslateStore(address);
            if (host is not null)
            {
                Touch(host, TouchKind.Write);
                source.Slice(done, count).CopyTo(new Span<byte>(host, count));
                done += count;
            }

            _tlb.End();
            if (host is null && !TryFault(address, isWrite: true, (ulong)done, out AccessResult result))
            {
                return result;
            }
        }

        return new AccessResult(AccessFault.None, default, (ulong)done);
    }

    public AccessResult Load(VirtualAddress address, out ulong value)
    {
        if (!_tlb.TryLoad(address.Value, out value))
        {
            return LoadSlowly(address, out value);
        }

        return new AccessResult(AccessFault.None, default, sizeof(ulong));
    }

    public AccessResult Store(VirtualAddress address, ulong value)
    {
        if (!_tlb.TryStore(address.Value, value))
        {
            return StoreSlowly(address, value);
        }

        return new AccessResult(AccessFault.None, default, sizeof(ulong));
    }

    public AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed)
    {
        CheckWord(address);
        if (Mode != AccessMode.User)
        {
            throw new InvalidOperationException("CompareExchange is an instruction of the program: open the accessor with AccessMode.User.");
        }

        while (true)
        {
            observed = 0;
            _tlb.Begin();
            byte* host = _tlb.TranslateStore(address.Value);
            if (host is not null)
            {
                Touch(host, TouchKind.Write);
                observed = Interlocked.CompareExchange(ref *(ulong*)host, value, comparand);
            }

            _tlb.End();
            if (host is not null)
            {
                return new AccessResult(AccessFault.None, default, sizeof(ulong));
            }

            if (!TryFault(address.Value, isWrite: true, done: 0, out AccessResult result))
            {
                return result;
            }
        }
    }

    public void Interrupt() => _waiter.Interrupt();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _tlb.Dispose();
        _mm.VmaLocks.RemoveReader(_slot);
        _waiter.Dispose();
    }

    /// <summary>To a scheduler the contents of a page are one word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Touch(byte* host, TouchKind kind) => Seam.Touch((nint)((ulong)host & ~(PageSize.Small - 1)), kind);

    /// <summary>
    /// Reads up to the first page that is not there, and a number of pages at most: a shoot-down waits that long. Frames lie anywhere, so the processor cannot
    /// guess the next one; it is looked up, and its first bytes are fetched, before the page in front of it is copied.
    /// </summary>
    /// <returns>The bytes read.</returns>
    private int ReadResident(ulong address, Span<byte> target)
    {
        int done = 0;
        _tlb.Begin();
        byte* host = target.IsEmpty ? null : _tlb.TranslateLoad(address);
        for (int pages = 0; host is not null && pages < PagesPerAccess; pages++)
        {
            int count = Math.Min(target.Length - done, ToPageEnd(address));
            address += (ulong)count;
            byte* next = done + count < target.Length ? _tlb.TranslateLoad(address) : null;
            Prefetch(next);
            Touch(host, TouchKind.Read);
            new ReadOnlySpan<byte>(host, count).CopyTo(target.Slice(done, count));
            done += count;
            host = next;
        }

        _tlb.End();
        return done;
    }

    /// <summary>Fetches the first lines of a page into the caches; from there on the processor goes on by itself. Null is harmless.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* page)
    {
        const int Lines = 8;
        const int BytesPerLine = 64;
        if (Sse.IsSupported)
        {
            for (int line = 0; line < Lines; line++)
            {
                Sse.Prefetch0(page + (line * BytesPerLine));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ToPageEnd(ulong address) => (int)(PageSize.Small - (address & (PageSize.Small - 1)));

    // Not inlined: the way of a hit stays short, and needs no registers saved.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private AccessResult LoadSlowly(VirtualAddress address, out ulong value)
    {
        CheckWord(address);
        while (true)
        {
            value = 0;
            _tlb.Begin();
            byte* host = _tlb.TranslateLoad(address.Value);
            if (host is not null)
            {
                Touch(host, TouchKind.Read);
                value = Volatile.Read(ref *(ulong*)host);
            }

            _tlb.End();
            if (host is not null)
            {
                return new AccessResult(AccessFault.None, default, sizeof(ulong));
            }

            if (!TryFault(address.Value, isWrite: false, done: 0, out AccessResult result))
            {
                return result;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private AccessResult StoreSlowly(VirtualAddress address, ulong value)
    {
        CheckWord(address);
        while (true)
        {
            _tlb.Begin();
            byte* host = _tlb.TranslateStore(address.Value);
            if (host is not null)
            {
                Touch(host, TouchKind.Write);
                Volatile.Write(ref *(ulong*)host, value);
            }

            _tlb.End();
            if (host is not null)
            {
                return new AccessResult(AccessFault.None, default, sizeof(ulong));
            }

            if (!TryFault(address.Value, isWrite: true, done: 0, out AccessResult result))
            {
                return result;
            }
        }
    }

    private void CheckWord(VirtualAddress address)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        if (!address.IsAligned(sizeof(ulong)))
        {
            throw new ArgumentException($"{address} is not a multiple of eight: use Read or Write.", nameof(address));
        }
    }

    /// <summary>Takes a fault.</summary>
    /// <returns>Whether the access is to be tried again.</returns>
    private bool TryFault(ulong address, bool isWrite, ulong done, out AccessResult result)
    {
        long reads = SwapIo.ReadsByThread;
        FaultResult fault = FaultHandler.Handle(_mm, address, isWrite, Mode, _waiter);
        if (fault == FaultResult.Done)
        {
            ref long count = ref SwapIo.ReadsByThread == reads ? ref _minorFaults : ref _majorFaults;
            Volatile.Write(ref count, count + 1);
            result = default;
            return true;
        }

        AccessFault kind = fault switch
        {
            FaultResult.Killed => AccessFault.Killed,
            _ when Mode != AccessMode.User => AccessFault.BadAddress,
            FaultResult.NotMapped => AccessFault.NotMapped,
            FaultResult.Protection => AccessFault.Protection,
            FaultResult.OutOfMemory => AccessFault.OutOfMemory,
            _ => AccessFault.BusError,
        };
        result = new AccessResult(kind, Mode == AccessMode.User ? new VirtualAddress(address) : default, done);
        return false;
    }
}
