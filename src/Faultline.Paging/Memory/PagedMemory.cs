using System;
using System.Buffers;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>An image mapped into this program. It is read and written through leases, or through <see cref="Read"/> and
/// <see cref="Write"/>.</summary>
/// <remarks>
/// Its addresses must not be touched by managed code in any other way: a thread that waits for a page in managed code blocks the garbage
/// collector, and
/// the collector may block the thread that brings the page.
/// </remarks>
public sealed class PagedMemory : IDisposable
{
    /// <summary>How often a range that is gone again when it is looked at is brought once more.</summary>
    private const int Attempts = 4;

    /// <summary>What <see cref="Read"/> and <see cref="Write"/> bring at a time.</summary>
    private const int StepBytes = 1 << 20;

    private readonly Pager _pager;
    private readonly PagerCore _core;
    private readonly PagedImage? _ownedImage;
    private readonly WriteLeases _leases;
    private readonly RankedLock _lock = new(LockRank.PagerSpares);

    /// <summary>Accessors nobody uses. Guard: the lock.</summary>
    private readonly Stack<IMemoryAccess> _accessors = [];

    /// <summary>One for being open, and one for each lease and each call inside; the memory is unmapped when none is left.</summary>
    private int _references = 1;

    private int _isDisposed;

    internal PagedMemory(Pager pager, PagerCore core, PagedImage image, PagedImage? ownedImage, PagerClient client, AddressRange range, bool isLocked)
    {
        _pager = pager;
        _core = core;
        _ownedImage = ownedImage;
        Image = image;
        Client = client;
        _leases = RegionMap.Find(client.RegionArray, range.Start)!.Pages.Leases;
        Range = range;
        IsLocked = isLocked;
    }

    private delegate AccessResult AccessStep<TSpan>(IMemoryAccess access, VirtualAddress address, TSpan bytes)
        where TSpan : allows ref struct;

    /// <summary>Where it is mapped.</summary>
    public AddressRange Range { get; }

    /// <summary>The image.</summary>
    public PagedImage Image { get; }

    /// <summary>The client that stands for it in the pager.</summary>
    public PagerClient Client { get; }

    /// <summary>
    /// Whether the kernel leaves resident pages alone. If not (the process may not lock that much: RLIMIT_MEMLOCK), the machine must have no swap
    /// space: a leased page that is swapped out would be a fault in managed code.
    /// </summary>
    public bool IsLocked { get; }

    /// <summary>The length in bytes: the image's.</summary>
    public ulong Length => Image.Length;

    /// <summary>Brings a range, keeps it resident, and hands it out as a span until the lease is disposed.</summary>
    /// <param name="offset">Where it begins, in bytes.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="access">What for.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range goes beyond the memory, or does not fit into the budget.</exception>
    /// <exception cref="PageLoadException">A page could not be brought. It may be tried again.</exception>
    public Lease Lease(ulong offset, int length, LeaseAccess access = LeaseAccess.Read)
    {
        RequireWithin(offset, length);
        Enter();
        (int first, int count) = PagesOf(offset, length);
        if (Image.Table.BudgetPages != 0 && count > Image.Table.BudgetPages - Image.Table.ChunkPages)
        {
            Exit();
            throw new ArgumentOutOfRangeException(
                nameof(length),
                length,
                $"The lease does not fit into the budget of {_core.Options.BudgetBytes} bytes beside one load of {_core.Options.LoadBytes}.");
        }

        Image.Table.Pin(first, count);
        if (access == LeaseAccess.Write)
        {
            // From here on nobody protects these pages.
            _leases.Add(first, count);
        }

        try
        {
            MakeResident(first, count, access);
            return Hand(offset, length, access, first, count);
        }
        catch
        {
            End(access, first, count);
            throw;
        }
    }

    /// <summary>Copies bytes out.</summary>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <exception cref="PageLoadException">A page could not be brought. It may be tried again.</exception>
    public void Read(ulong offset, Span<byte> target) =>
        Step(
            LeaseAccess.Read,
            offset,
            target.Length,
            target,
            static (access, address, bytes) => access.Read(address, bytes),
            static (bytes, start, length) => bytes.Slice(start, length));

    /// <summary>Copies bytes in.</summary>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="source">The bytes.</param>
    /// <exception cref="PageLoadException">A page could not be brought. It may be tried again.</exception>
    public void Write(ulong offset, ReadOnlySpan<byte> source) =>
        Step(
            LeaseAccess.Write,
            offset,
            source.Length,
            source,
            static (access, address, bytes) => access.Write(address, bytes),
            static (bytes, start, length) => bytes.Slice(start, length));

    /// <summary>Notes every write from now on; how, <see cref="PagerOptions.Tracking"/> says. What is leased for writing counts as written all the time.</summary>
    /// <returns>The tracker; to be disposed before the memory.</returns>
    /// <exception cref="MemoryEngineException">EBUSY (it is being tracked), EINVAL (the kernel lacks the feature).</exception>
    public IDirtyTracker TrackWrites() => DirtyTracker.Start(Client, _core.Engine.Home, Range);

    /// <summary>Freezes the memory at one instant, while threads go on writing to it. Waits for leases for writing to end.</summary>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The snapshot; to be disposed before the memory.</returns>
    /// <exception cref="InvalidOperationException"><see cref="PagerOptions.Tracking"/> is asynchronous.</exception>
    /// <exception cref="MemoryEngineException">EBUSY: there is a snapshot already, or pages stay leased for writing.</exception>
    public MemorySnapshot TakeSnapshot(MemorySnapshotOptions? options = null) => MemorySnapshot.Take(Client, _core.Engine.Home, Range, options);

    /// <summary>Unmaps the memory when the last lease of it ends; new leases are refused at once.</summary>
    public void Dispose()
    {
        Seam.Touch(this, TouchKind.Write);
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Exit();
        }
    }

    /// <summary>Ends a lease. Bytes that were handed out as a copy, and may have been written, go back first.</summary>
    internal void EndLease(ulong offset, ReadOnlySpan<byte> written, byte[]? rented, LeaseAccess access, int first, int count)
    {
        try
        {
            if (!written.IsEmpty)
            {
                WriteBack(offset, written);
            }
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }

            End(access, first, count);
        }
    }

    private delegate TSpan Slice<TSpan>(TSpan bytes, int start, int length)
        where TSpan : allows ref struct;

    private void Step<TSpan>(LeaseAccess purpose, ulong offset, int length, TSpan bytes, AccessStep<TSpan> step, Slice<TSpan> slice)
        where TSpan : allows ref struct
    {
        RequireWithin(offset, length);
        Enter();
        IMemoryAccess access = RentAccess();
        try
        {
            for (int done = 0; done < length;)
            {
                int bytesNow = Math.Min(length - done, Image.Table.BudgetPages == 0 ? StepBytes : _core.Options.LoadBytes / 2);
                Transfer(purpose, offset + (ulong)done, bytesNow, access, slice(bytes, done, bytesNow), step, slice);
                done += bytesNow;
            }
        }
        finally
        {
            ReturnAccess(access);
            Exit();
        }
    }

    private void Transfer<TSpan>(
        LeaseAccess purpose, ulong offset, int length, IMemoryAccess access, TSpan bytes, AccessStep<TSpan> step, Slice<TSpan> slice)
        where TSpan : allows ref struct
    {
        (int first, int count) = PagesOf(offset, length);
        AccessResult result = default;
        Image.Table.Pin(first, count);
        try
        {
            for (int attempt = 0; attempt < Attempts; attempt++)
            {
                Bring(first, count, purpose);
                result = step(access, Range.Start + offset, slice(bytes, 0, length));
                if (result.IsOk)
                {
                    return;
                }
            }
        }
        finally
        {
            Image.Table.Unpin(first, count);
        }

        throw new PageLoadException(Image.Name, offset, (ulong)length, $"the access ended in {result.Fault}");
    }

    private void WriteBack(ulong offset, ReadOnlySpan<byte> bytes)
    {
        IMemoryAccess access = RentAccess();
        AccessResult result = access.Write(Range.Start + offset, bytes);
        ReturnAccess(access);
        if (!result.IsOk)
        {
            throw new PageLoadException(Image.Name, offset, (ulong)bytes.Length, $"what was written to the lease could not be put back: {result.Fault}");
        }
    }

    /// <summary>Brings pages into the cache and installs them, unless all are there.</summary>
    private void Bring(int first, int count, LeaseAccess access)
    {
        TouchOutcome outcome = Image.Table.Guesses.OutcomeOf(Image.Table.States[first], first);
        PageBring.IntoCache(_core, Image.Table, first, count, PinState.Pinned);
        if (Client.RegionArray is [Region { Pages.Guesses: { } guesses }])
        {
            guesses.Observe(new PageNeed(first, first, first + count, outcome));
        }

        AddressRange range = Range.Slice((ulong)first * PageSize.Small, (ulong)count * PageSize.Small);
        PageBring.Install(_core, Client, range);
        Image.Recorder?.Note(first, count, PageFaultKind.Missing, access == LeaseAccess.Write);
        if (access == LeaseAccess.Write && Image.Table.Writes is not null)
        {
            PageBring.AdmitWrites(Client, range, first, count);
        }
    }

    private void MakeResident(int first, int count, LeaseAccess access)
    {
        AddressRange range = Range.Slice((ulong)first * PageSize.Small, (ulong)count * PageSize.Small);
        SystemResult populated = default;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            Bring(first, count, access);
            populated = _core.Engine.Home.Advise(range, access == LeaseAccess.Write ? Advice.PopulateWrite : Advice.PopulateRead);
            if (populated.IsOk)
            {
                return;
            }
        }

        throw new PageLoadException(Image.Name, (ulong)first * PageSize.Small, range.Length, $"the memory could not be populated ({populated.Errno})");
    }

    private Lease Hand(ulong offset, int length, LeaseAccess access, int first, int count)
    {
        AddressRange range = Range.Slice(offset, (ulong)length);
        if (_core.Engine.Home.TryGetSpan(range, out Span<byte> span))
        {
            return new Lease(this, span, rented: null, offset, access, first, count);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        IMemoryAccess accessor = RentAccess();
        AccessResult read = accessor.Read(range.Start, rented.AsSpan(0, length));
        ReturnAccess(accessor);
        if (!read.IsOk)
        {
            ArrayPool<byte>.Shared.Return(rented);
            throw new PageLoadException(Image.Name, offset, (ulong)length, $"the access ended in {read.Fault}");
        }

        return new Lease(this, rented.AsSpan(0, length), rented, offset, access, first, count);
    }

    private void End(LeaseAccess access, int first, int count)
    {
        if (access == LeaseAccess.Write)
        {
            _leases.Remove(first, count);
        }

        Image.Table.Unpin(first, count);
        Exit();
    }

    private static (int First, int Count) PagesOf(ulong offset, int length)
    {
        int first = (int)(offset / PageSize.Small);
        int last = (int)((offset + (ulong)Math.Max(1, length) - 1) / PageSize.Small);
        return (first, last - first + 1);
    }

    private void RequireWithin(ulong offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset >= Length || (ulong)length > Length - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset),
                offset,
                $"{length} bytes from 0x{offset:x} go beyond the 0x{Length:x} bytes of '{Image.Name}'.");
        }
    }

    private void Enter()
    {
        while (true)
        {
            Seam.Touch(this, TouchKind.Write);
            int references = Volatile.Read(ref _references);
            ObjectDisposedException.ThrowIf(references == 0 || Volatile.Read(ref _isDisposed) != 0, this);
            if (Interlocked.CompareExchange(ref _references, references + 1, references) == references)
            {
                return;
            }
        }
    }

    private void Exit()
    {
        Seam.Touch(this, TouchKind.Write);
        if (Interlocked.Decrement(ref _references) == 0)
        {
            Unmap();
        }
    }

    /// <summary>Nobody is inside, so nobody waits: the mapping goes first, and with it every question of what it reads as.</summary>
    private void Unmap()
    {
        Client.EndWatch();
        _core.Engine.Home.Unmap(Range);
        _core.EndClient(Client, ClientEnd.Detached);
        _pager.Forget(this);
        foreach (IMemoryAccess access in _accessors)
        {
            access.Dispose();
        }

        _ownedImage?.Dispose();
    }

    private IMemoryAccess RentAccess()
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (_accessors.TryPop(out IMemoryAccess? access))
            {
                return access;
            }
        }

        return _core.Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("opening an accessor", Range);
    }

    private void ReturnAccess(IMemoryAccess access)
    {
        using RankedLock.Scope held = _lock.Enter();
        _accessors.Push(access);
    }
}
