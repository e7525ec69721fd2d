using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Memory as it was at one instant, while threads go on writing to it. It is a page store: write it to an image, or page from it.
/// </summary>
/// <remarks>
/// The whole range is write-protected by one call; the instant is the end of that call, since whoever wants to write to what is protected already
/// waits until then. After it, the first write to a page waits while the page is copied, and everything else is read from the memory itself.
/// Writers therefore notice the one call, and a page's copy each. Unmapping or discarding the range while the snapshot lives is an error
/// of the caller: what is discarded reads as zeroes.
/// </remarks>
public sealed class MemorySnapshot : IPageStore
{
    private const int MessagesAtOnce = 32;

    private const UserfaultfdFeatures Features =
        UserfaultfdFeatures.PageFaultFlagWriteProtect | UserfaultfdFeatures.WriteProtectHugetlbfsShmem | UserfaultfdFeatures.WriteProtectUnpopulated;

    private readonly IUserfaultfd _context;
    private readonly IUserfaultfdPoller _poller;
    private readonly IMemoryAccess _readerAccess;
    private readonly IMemoryAccess _handlerAccess;
    private readonly RankedLock _lock = new(LockRank.PagerDirty);
    private readonly SnapshotPages _pages;
    private readonly Thread _handler;
    private readonly Activity? _activity = PagerTraces.BeginBeside(PagerTraces.SnapshotName);
    private Exception? _failure;
    private bool _isDisposed;

    private MemorySnapshot(IMemoryEngine engine, IAddressSpace space, IUserfaultfd context, AddressRange range, SnapshotPages pages)
    {
        _context = context;
        _pages = pages;
        Range = range;
        _readerAccess = space.OpenAccess(AccessMode.Kernel).OrThrow("accessor", range);
        _handlerAccess = space.OpenAccess(AccessMode.Kernel).OrThrow("accessor", range);
        _poller = engine.CreatePoller();
        _poller.Add(context, 0).OrThrow("poller add", range);
        _handler = new Thread(Handle) { IsBackground = true, Name = "faultline snapshot" };
    }

    /// <summary>What was frozen.</summary>
    public AddressRange Range { get; }

    /// <inheritdoc/>
    public ulong Length => Range.Length;

    /// <summary>How long the call took that protected the range: the longest time a writer waited for the instant.</summary>
    public TimeSpan ProtectTime { get; private set; }

    /// <summary>How many pages were copied because someone wrote to them.</summary>
    public long CopiedPages => Interlocked.Read(ref _pages.Copied);

    /// <summary>Freezes a range.</summary>
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
        options ??= new MemorySnapshotOptions();
        IUserfaultfd context = UserfaultfdHandshake.Open(space, Features).OrThrow("userfaultfd", range);
        MemorySnapshot? snapshot = null;
        try
        {
            RegisterResult registered = context.Register(range, RegisterModes.WriteProtect);
            new SystemResult(registered.Errno).OrThrow("UFFDIO_REGISTER", range);

            // Where one of the mappings is hugetlb, and only there, REGISTER does not offer ZEROPAGE.
            ulong pageBytes = (registered.Ioctls & UserfaultfdIoctls.Zeropage) != 0 ? PageSize.Small : PageSize.Huge;
            snapshot = new MemorySnapshot(engine, space, context, range, new SnapshotPages(range, pageBytes, options));
            snapshot.Freeze();
            return snapshot;
        }
        catch
        {
            snapshot?.Dispose();
            context.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Begins and ends at a page, or at the end.</remarks>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length);
        int length = (int)Math.Min((ulong)target.Length, Length - offset);
        using RankedLock.Scope held = _lock.Enter();
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_failure is { } cause || (cause = _pages.Read(_readerAccess, offset, target.Span[..length])) is not null)
        {
            return ValueTask.FromResult(StoreRead.Failed(cause));
        }

        if (_pages.IsReadOnce)
        {
            LetGo(offset, (ulong)length);
        }

        return ValueTask.FromResult(StoreRead.Of(length));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (_lock.Enter())
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        _poller.Stop();
        if (_handler.ThreadState != System.Threading.ThreadState.Unstarted)
        {
            _handler.Join();
        }

        // Ends the registration: the protection goes, and a writer that waits tries again.
        _poller.Dispose();
        _context.Dispose();
        _readerAccess.Dispose();
        _handlerAccess.Dispose();
        _activity?.SetTag("faultline.snapshot.bytes", (long)Length);
        _activity?.SetTag("faultline.snapshot.protect_seconds", ProtectTime.TotalSeconds);
        _activity?.SetTag("faultline.snapshot.pages_copied", CopiedPages);
        PagerTraces.EndBeside(_activity);
    }

    private void Freeze()
    {
        // The handler may not let anyone write before everything is protected: the instant is one only because of that.
        long begun = Stopwatch.GetTimestamp();
        _context.WriteProtect(Range, WriteProtectModes.Protect).OrThrow("UFFDIO_WRITEPROTECT", Range);
        ProtectTime = Stopwatch.GetElapsedTime(begun);
        _handler.Start();
    }

    private void Handle()
    {
        long[] ready = new long[1];
        var messages = new UserfaultfdMessage[MessagesAtOnce];
        while (_poller.Wait(ready, Timeout.Infinite) is { Errno: not Errno.ECANCELED })
        {
            SystemResult<int> read = _context.Read(messages);
            if (read.IsOk)
            {
                Keep(messages.AsSpan(0, read.Value));
            }
            else if (read.Errno is not (Errno.EAGAIN or Errno.EINTR))
            {
                using RankedLock.Scope held = _lock.Enter();
                _failure ??= new MemoryEngineException("read", Range, read.Errno, "The snapshot can't follow the writers any more.");
                return;
            }
        }
    }

    private void Keep(ReadOnlySpan<UserfaultfdMessage> messages)
    {
        using RankedLock.Scope held = _lock.Enter();
        foreach (UserfaultfdMessage message in messages)
        {
            if (message.Event == UserfaultfdEvent.PageFault && Range.Contains(message.Address))
            {
                KeepPage(_pages.PageOf(message.Address));
            }
        }
    }

    private void KeepPage(int page)
    {
        if (!_pages.TryKeep(_handlerAccess, page, ref _failure))
        {
            _pages.Postpone(page);
            return;
        }

        Unprotect(_pages.AddressesOf(page));
    }

    /// <summary>The reader has these bytes: nobody waits for them any more, and there is room for other copies.</summary>
    private void LetGo(ulong offset, ulong length)
    {
        Unprotect(_pages.Pass(offset, length));
        while (_pages.TryTakePostponed(out int page))
        {
            KeepPage(page);
        }
    }

    private void Unprotect(AddressRange range)
    {
        // An answer other than success means that the range is no longer mapped as it was; who waits there is woken all the same.
        if (range.Length != 0 && !_context.WriteProtect(range, WriteProtectModes.None).IsOk)
        {
            _context.Wake(range);
        }
    }
}
