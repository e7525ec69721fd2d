using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>
/// Memory as it was at one instant, while threads go on writing to it. It is a page store: write it to an image, or page from it.
/// </summary>
/// <remarks>
/// The whole range is write-protected by one call; the instant is the end of that call, since whoever wants to write to what is protected already
/// waits until then. After it, the first write to a page waits while the page is copied, and everything else is read from the memory itself.
/// Writers therefore notice the one call, and a page's copy each. Unmapping or discarding the range while the snapshot lives is an error
/// of the caller: what is discarded reads as zeroes, or makes the snapshot fail.
/// </remarks>
public sealed class MemorySnapshot : IPageStore
{
    private readonly WatchHost _host;
    private readonly WriteWatch _watch;
    private readonly ISnapshotSource _source;
    private readonly SnapshotPages _pages;
    private readonly Activity? _activity = PagerTraces.BeginBeside(PagerTraces.SnapshotName);

    /// <summary>Readers inside, and one for being open. Guard: the watch's lock.</summary>
    private int _uses = 1;

    private bool _isDisposed;

    /// <summary>What was taken from the tracker and is to be given back; null if nothing.</summary>
    private List<AddressRange>? _taken;

    private MemorySnapshot(WatchHost host, ISnapshotSource source, ulong length, MemorySnapshotOptions options)
    {
        _host = host;
        _watch = host.Watch!;
        _source = source;
        Length = length;
        _pages = new SnapshotPages(_watch.Range, _watch.PageBytes, options, source);
    }

    /// <summary>What was frozen.</summary>
    public AddressRange Range => _watch.Range;

    /// <inheritdoc/>
    /// <remarks>That of the range, or of the image it shows, if that is shorter.</remarks>
    public ulong Length { get; }

    /// <summary>How long the call took that protected the range: the longest time a writer waited for the instant.</summary>
    public TimeSpan ProtectTime { get; private set; }

    /// <summary>How many pages were copied because someone wrote to them.</summary>
    public long CopiedPages => Interlocked.Read(ref _pages.Copied);

    /// <summary>
    /// The addresses whose contents may differ from what this snapshot is a change of; null if that is not known. After
    /// <see cref="TakeWritten"/>: what was written since the tracker was last asked. For a region that a pager serves: what is not the image's any more.
    /// </summary>
    public IReadOnlyList<AddressRange>? Changed { get; private set; }

    /// <summary>Freezes memory that nobody has registered.</summary>
    /// <param name="engine">The engine of the address space.</param>
    /// <param name="space">Whose memory it is.</param>
    /// <param name="range">
    /// Mapped, aligned to pages (2 MiB on hugetlb), of anonymous, shmem or hugetlb memory, shared or private, and not registered with a userfaultfd.
    /// </param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The snapshot. Disposing it ends the protection.</returns>
    /// <exception cref="MemoryEngineException">
    /// EPERM (no right to a userfaultfd), EINVAL (Linux before 6.4, or memory of another kind), EBUSY (registered with another userfaultfd), ENOMEM.
    /// </exception>
    public static MemorySnapshot Take(IMemoryEngine engine, IAddressSpace space, AddressRange range, MemorySnapshotOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(space);
        var host = OwnWatch.Open(engine, space, range);
        return Open(host, () => new OwnMemorySource(space, range), range.Length, options, taken: null);
    }

    /// <summary>Freezes a region that a pager serves, through the pager's own context; a tracker of it may be running, and goes on.</summary>
    /// <param name="client">The client.</param>
    /// <param name="space">Its address space.</param>
    /// <param name="region">The region, whole: one of <see cref="PagerClient.Regions"/>.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The snapshot. It is to be disposed before the client is detached.</returns>
    /// <exception cref="ArgumentException"><paramref name="region"/> is not one of the client's.</exception>
    /// <exception cref="InvalidOperationException">The context was opened for asynchronous tracking: nobody waits for a copy then.</exception>
    /// <exception cref="MemoryEngineException">EBUSY (there is a snapshot already, or pages stay leased for writing), EAGAIN (the address space goes
    /// on changing), ENOMEM.</exception>
    public static MemorySnapshot Take(PagerClient client, IAddressSpace space, AddressRange region, MemorySnapshotOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(space);
        return TakeServed(client.Watch(region), space, options, taken: null);
    }

    /// <summary>
    /// Freezes what a tracker watches, and takes what was written since it was last asked, at the same instant: <see cref="Changed"/>. The next layer of a
    /// chain needs nothing else. Unless <see cref="Accept"/> is called, the tracker has it back when the snapshot is disposed: a layer that could not be
    /// written is part of the next.
    /// </summary>
    /// <param name="tracker">A synchronous tracker, of <see cref="DirtyTracker"/>. It goes on.</param>
    /// <param name="space">The address space of what it watches.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The snapshot, of the whole range.</returns>
    /// <exception cref="ArgumentException">The tracker is asynchronous: nobody waits for a copy then.</exception>
    /// <exception cref="ObjectDisposedException">The tracker was disposed.</exception>
    /// <exception cref="MemoryEngineException">EBUSY (there is a snapshot already, or pages stay leased for writing), EAGAIN (the address space goes
    /// on changing), ENOMEM.</exception>
    public static MemorySnapshot TakeWritten(IDirtyTracker tracker, IAddressSpace space, MemorySnapshotOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        if (tracker is not SynchronousDirtyTracker { Host: { } host })
        {
            throw new ArgumentException("A snapshot needs a synchronous tracker: writers must wait while a page is copied.", nameof(tracker));
        }

        ObjectDisposedException.ThrowIf(!host.TryShare(), tracker);
        List<AddressRange> taken = [];
        return host is ServedWatch served
            ? TakeServed(served, space, options, taken)
            : Open(host, () => new OwnMemorySource(space, tracker.Range), tracker.Range.Length, options, taken);
    }

    /// <inheritdoc/>
    /// <remarks>Begins and ends at a page, or at the end. May wait for the image behind the memory.</remarks>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int length = (int)Math.Min((ulong)target.Length, Length - Math.Min(offset, Length));
        if (length == 0)
        {
            return ValueTask.FromResult(StoreRead.Of(0));
        }

        Exception? cause;
        List<SnapshotRun> runs = [];
        using (_watch.Lock.Enter())
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            cause = _pages.Plan(offset, target.Span[..length], runs);
            _uses++;
        }

        try
        {
            cause ??= ReadRuns(offset, target.Span[..length], runs);
        }
        finally
        {
            Leave(offset, cause is null ? (ulong)length : 0);
        }

        return ValueTask.FromResult(cause is null ? StoreRead.Of(length) : StoreRead.Failed(cause));
    }

    /// <summary>What the tracker gave for this snapshot is in safety, and need not be told again. <c>ImageBuilder</c> says so when a layer is in its
    /// place.</summary>
    public void Accept() => Interlocked.Exchange(ref _taken, null);

    /// <inheritdoc/>
    public void Dispose()
    {
        using (_watch.Lock.Enter())
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        if (Interlocked.Exchange(ref _taken, null) is { } taken)
        {
            _watch.GiveBack(taken);
        }

        _watch.Thaw(_pages);
        Leave(0, 0);
        _host.Dispose();
        EndActivity();
    }

    private static MemorySnapshot TakeServed(ServedWatch watcher, IAddressSpace space, MemorySnapshotOptions? options, List<AddressRange>? taken)
    {
        if (watcher.IsAsync)
        {
            watcher.Dispose();
            throw new InvalidOperationException(
                $"The context of '{watcher.Client.Name}' was opened for asynchronous tracking, where no writer waits for a copy; open it without WriteProtectAsync.");
        }

        LoadTable table = watcher.Region.Pages.Table;
        ulong offset = table.OffsetOf(watcher.Region.Pages.TablePage(watcher.Region.FirstPage));
        ulong length = Math.Min(watcher.Region.Range.Length, table.Image.Length - offset);
        MemorySnapshot snapshot = Open(watcher, () => new ServedMemorySource(watcher, space), length, options, taken);
        if (taken is null)
        {
            try
            {
                snapshot.Changed = ((ServedMemorySource)snapshot._source).FindChanged();
            }
            catch
            {
                snapshot.Dispose();
                throw;
            }
        }

        return snapshot;
    }

    private static MemorySnapshot Open(
        WatchHost host, Func<ISnapshotSource> open, ulong length, MemorySnapshotOptions? options, List<AddressRange>? taken)
    {
        ISnapshotSource? source = null;
        MemorySnapshot? snapshot = null;
        try
        {
            source = open();
            snapshot = new MemorySnapshot(host, source, length, options ?? new MemorySnapshotOptions());
            snapshot.Freeze(taken);
            return snapshot;
        }
        catch
        {
            source?.Dispose();
            host.Dispose();
            snapshot?.EndActivity();
            throw;
        }
    }

    private void Freeze(List<AddressRange>? taken)
    {
        using Patience patience = new();
        while (true)
        {
            Errno errno = _watch.TryFreeze(_pages, taken, out TimeSpan time);
            if (errno == Errno.None)
            {
                ProtectTime = time;
                Changed = taken;
                _taken = taken;
                return;
            }

            if (errno is not (Errno.EAGAIN or Errno.EBUSY) || !patience.Wait())
            {
                throw new MemoryEngineException("UFFDIO_WRITEPROTECT", Range, errno, "The memory could not be frozen at one instant.");
            }
        }
    }

    private void EndActivity()
    {
        _activity?.SetTag("faultline.snapshot.bytes", (long)Length);
        _activity?.SetTag("faultline.snapshot.protect_seconds", ProtectTime.TotalSeconds);
        _activity?.SetTag("faultline.snapshot.pages_copied", CopiedPages);
        PagerTraces.EndBeside(_activity);
    }

    private Exception? ReadRuns(ulong offset, Span<byte> target, List<SnapshotRun> runs)
    {
        if (ReadElsewhere(offset, target, runs) is { } cause)
        {
            return cause;
        }

        List<SnapshotRun> again = [];
        using (_watch.Lock.Enter())
        {
            cause = _isDisposed ? new ObjectDisposedException(nameof(MemorySnapshot))
                : _host.Failure == Errno.None ? _pages.PlanAgain(offset, target, runs, again)
                : new MemoryEngineException("read", Range, _host.Failure, "The snapshot can't follow the writers any more.");
        }

        return cause ?? ReadElsewhere(offset, target, again);
    }

    private Exception? ReadElsewhere(ulong offset, Span<byte> target, List<SnapshotRun> runs)
    {
        foreach (SnapshotRun run in runs)
        {
            if (_source.Read(offset + (ulong)run.Start, target[run.Start..run.End], run.Origin) is { } cause)
            {
                return cause;
            }
        }

        return null;
    }

    /// <summary>The last one out closes what is read from.</summary>
    private void Leave(ulong offset, ulong length)
    {
        bool isLast;
        using (_watch.Lock.Enter())
        {
            if (length != 0 && _pages.IsReadOnce && !_isDisposed)
            {
                _watch.LetGo(_pages, offset, length);
            }

            isLast = --_uses == 0;
        }

        if (isLast)
        {
            _source.Dispose();
        }
    }
}
