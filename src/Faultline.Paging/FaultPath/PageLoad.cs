using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>
/// Stop 8: one read of a store, and the putting of its contents where they belong. A load that ends on the thread that began it costs no
/// allocation; one that ends elsewhere is handed to a handler thread by <see cref="PagerCore"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The cancellation source holds nothing to dispose, and callbacks may outlive its use.")]
internal sealed class PageLoad
{
    private readonly PagerCore _core;
    private readonly Action _readEnded;
    private CancellationTokenSource _cancel = new();
    private ConfiguredValueTaskAwaitable<StoreRead>.ConfiguredValueTaskAwaiter _reading;
    private byte[] _buffer = [];
    private StoreRead _read;
    private bool _isWanted;

    /// <summary>The activity, while someone listens; taken by whoever ends it.</summary>
    private Activity? _activity;

    public PageLoad(PagerCore core)
    {
        _core = core;
        _readEnded = OnReadEnded;
    }

    public LoadTable Table { get; private set; } = null!;

    public int First { get; private set; }

    public int Count { get; private set; }

    public int End => First + Count;

    /// <summary>When the load began (<see cref="PagerCore.Now"/>).</summary>
    public long StartedAt { get; private set; }

    /// <summary>When the read began, or zero if nobody listens to that.</summary>
    public long ReadBegunAt { get; private set; }

    /// <summary>Guard: the table's lock.</summary>
    public LoadPhase Phase { get; set; }

    /// <summary>Whether it began as a guess. Guard: the table's lock.</summary>
    public bool IsGuess { get; private set; }

    /// <summary>Whether somebody wants it: always, unless it is a guess. Becomes true once, under the table's lock; read without it.</summary>
    public bool IsWanted => Volatile.Read(ref _isWanted);

    /// <summary>The faults that wait. Guard: the table's lock.</summary>
    public List<PageFault> Waiters { get; } = [];

    /// <summary>The leases that wait. Guard: the table's lock.</summary>
    public List<LoadWait> LeaseWaiters { get; } = [];

    public int BytesRead => _read.BytesRead;

    /// <summary>Whether the store did not answer at once.</summary>
    public bool AnsweredLater { get; private set; }

    /// <summary>The contents of the pages, after a read that ended well.</summary>
    public ReadOnlySpan<byte> Contents => _buffer.AsSpan(0, Count * Table.PageBytes);

    public void Begin(LoadTable table, int first, int count, long now)
    {
        Table = table;
        First = first;
        Count = count;
        StartedAt = now;
        Phase = LoadPhase.Reading;
        IsGuess = false;
        Volatile.Write(ref _isWanted, true);
        AnsweredLater = false;
        _read = default;
        ReadBegunAt = 0;
    }

    /// <summary>The activity of the load, for the one who ends it; null if there is none, or it is taken.</summary>
    public Activity? TakeActivity() => Volatile.Read(ref _activity) is null ? null : Interlocked.Exchange(ref _activity, null);

    /// <summary>Nobody wants it yet. Right after <see cref="Begin"/>.</summary>
    public void BeginAsGuess()
    {
        IsGuess = true;
        Volatile.Write(ref _isWanted, false);
    }

    /// <summary>Somebody wants it now, and may wait as long as for any other load. The table's lock is held.</summary>
    public void Promote(long now)
    {
        StartedAt = now;
        Volatile.Write(ref _isWanted, true);
    }

    /// <summary>Reads the store.</summary>
    /// <returns>True if the read has ended; false if it will, and the core will be told.</returns>
    public bool Read()
    {
        ReadBegunAt = PagerMetrics.StoreReadDuration.Enabled ? _core.Now() : 0;
        if (!PagerTraces.Source.HasListeners())
        {
            return BeginRead();
        }

        // Current while the store is asked, so that its requests belong to it.
        Activity? before = Activity.Current;
        Volatile.Write(ref _activity, PagerTraces.BeginLoad(this));
        try
        {
            return BeginRead();
        }
        finally
        {
            Activity.Current = before;
        }
    }

    private bool BeginRead()
    {
        _buffer = _core.Buffers.Rent(Count * Table.PageBytes);
        ulong offset = Table.OffsetOf(First);
        ulong length = offset < Table.Image.Length ? Math.Min(Table.Image.Length - offset, (ulong)Count * (ulong)Table.PageBytes) : 0;
        try
        {
            ValueTask<StoreRead> read = Table.Image.Store.ReadAsync(offset, _buffer.AsMemory(0, (int)length), _cancel.Token);
            _reading = read.ConfigureAwait(false).GetAwaiter();
            if (!_reading.IsCompleted)
            {
                AnsweredLater = true;
                _reading.UnsafeOnCompleted(_readEnded);
                return false;
            }
        }
        catch (Exception cause)
        {
            _read = StoreRead.Failed(cause);
            return true;
        }

        TakeResult();
        return true;
    }

    /// <summary>Checks what the store gave, and zeroes what lies beyond its end.</summary>
    /// <returns>Why the load failed, or null.</returns>
    public Exception? Check()
    {
        if (_read.Cause is not null)
        {
            return _read.Cause;
        }

        ulong offset = Table.OffsetOf(First);
        ulong length = Math.Min(Table.Image.Length - Math.Min(offset, Table.Image.Length), (ulong)Count * (ulong)Table.PageBytes);
        if ((ulong)_read.BytesRead != length)
        {
            return new PageLoadException(
                Table.Image.Name, offset, (ulong)Count * (ulong)Table.PageBytes, $"the store gave {_read.BytesRead} bytes, and was asked for {length}");
        }

        _buffer.AsSpan(_read.BytesRead, Count * Table.PageBytes - _read.BytesRead).Clear();
        return null;
    }

    /// <summary>Tells the store that nobody waits any more. On another thread, since the store's answer must not run under the caller's
    /// lock.</summary>
    public void Cancel() => _ = _cancel.CancelAsync();

    /// <summary>Gives the buffer back, and makes the load ready for its next use. Only after the read has ended.</summary>
    public void Reset()
    {
        _core.Buffers.Return(_buffer);
        _buffer = [];
        _reading = default;
        Waiters.Clear();
        LeaseWaiters.Clear();
        if (!_cancel.TryReset())
        {
            // Not disposed: its callbacks may still be running. It has nothing that needs disposing.
            _cancel = new CancellationTokenSource();
        }
    }

    private void OnReadEnded()
    {
        TakeResult();
        _core.LoadEnded(this);
    }

    [SuppressMessage("Usage", "VSTHRD002", Justification = "Called only when the read has ended: it takes the result and never waits.")]
    private void TakeResult()
    {
        try
        {
            _read = _reading.GetResult();
        }
        catch (Exception cause)
        {
            _read = StoreRead.Failed(cause);
        }
    }
}
