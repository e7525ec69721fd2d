using System;
using System.Collections.Generic;
using System.Numerics;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Write-protection that a thread of the tracker lifts, page by page, when someone wants to write. A bit says: this page is written to, and not
/// protected. Bit and protection change together under one lock; else a page could lose its protection while its bit is clear, and its
/// writes would be lost.
/// </summary>
internal sealed class SynchronousDirtyTracker : IDirtyTracker
{
    private const int MessagesAtOnce = 32;

    private readonly IUserfaultfd _context;
    private readonly IUserfaultfdPoller _poller;
    private readonly RankedLock _lock = new(LockRank.PagerDirty);
    private readonly ulong[] _written;
    private readonly int _pageShift;
    private readonly Thread _handler;
    private Errno _failure;
    private bool _isDisposed;

    public SynchronousDirtyTracker(IMemoryEngine engine, IUserfaultfd context, AddressRange range, ulong pageBytes)
    {
        _context = context;
        Range = range;
        PageBytes = pageBytes;
        _pageShift = BitOperations.Log2(pageBytes);
        _written = new ulong[((range.Length >> _pageShift) + 63) / 64];
        _poller = engine.CreatePoller();
        _handler = new Thread(Handle) { IsBackground = true, Name = "faultline dirty tracker" };
        try
        {
            _poller.Add(context, 0).OrThrow("poller add", range);
            _handler.Start();
            context.WriteProtect(range, WriteProtectModes.Protect).OrThrow("UFFDIO_WRITEPROTECT", range);
        }
        catch
        {
            StopHandler();
            throw;
        }
    }

    public AddressRange Range { get; }

    public DirtyTracking Kind => DirtyTracking.Synchronous;

    public ulong PageBytes { get; }

    public long TakeWritten(ICollection<AddressRange> written)
    {
        ArgumentNullException.ThrowIfNull(written);
        written.Clear();
        var joined = new WrittenRanges(written);
        for (int index = 0; index < _written.Length; index++)
        {
            if (Volatile.Read(ref _written[index]) != 0)
            {
                TakeWord(index, ref joined);
            }
        }

        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        new SystemResult(_failure).OrThrow("read", Range);
        joined.End();
        return (long)(joined.Bytes >> _pageShift);
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            if (_isDisposed)
            {
                return;
            }

            Volatile.Write(ref _isDisposed, value: true);
        }

        StopHandler();

        // Ends the registration: the protection goes, and a writer that waits tries again.
        _context.Dispose();
    }

    private void StopHandler()
    {
        _poller.Stop();
        if (_handler.ThreadState != ThreadState.Unstarted)
        {
            _handler.Join();
        }

        _poller.Dispose();
    }

    /// <summary>The runs of set bits in one word: protected again, and reported.</summary>
    private void TakeWord(int index, ref WrittenRanges joined)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (_isDisposed)
        {
            return;
        }

        ulong word = _written[index];
        while (word != 0)
        {
            int first = BitOperations.TrailingZeroCount(word);
            int count = BitOperations.TrailingZeroCount(~(word >> first));
            ulong run = (count == 64 ? ulong.MaxValue : (1UL << count) - 1) << first;
            AddressRange range = Range.Slice((ulong)((index * 64) + first) << _pageShift, (ulong)count << _pageShift);
            _context.WriteProtect(range, WriteProtectModes.Protect).OrThrow("UFFDIO_WRITEPROTECT", range);
            word &= ~run;
            Volatile.Write(ref _written[index], word);
            joined.Add(range);
        }
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
                Note(messages.AsSpan(0, read.Value));
            }
            else if (read.Errno is not (Errno.EAGAIN or Errno.EINTR))
            {
                _failure = read.Errno;
                return;
            }
        }
    }

    private void Note(ReadOnlySpan<UserfaultfdMessage> messages)
    {
        using RankedLock.Scope held = _lock.Enter();
        foreach (UserfaultfdMessage message in messages)
        {
            if (message.Event != UserfaultfdEvent.PageFault || !Range.Contains(message.Address))
            {
                continue;
            }

            ulong page = (message.Address.Value - Range.Start.Value) >> _pageShift;
            ulong word = _written[page / 64];
            _written[page / 64] = word | (1UL << (int)(page % 64));

            // An answer other than success means that the page is no longer there to be written; its writer is woken all the same.
            AddressRange range = Range.Slice(page << _pageShift, PageBytes);
            if (!_context.WriteProtect(range, WriteProtectModes.None).IsOk)
            {
                _context.Wake(range);
            }
        }
    }
}
