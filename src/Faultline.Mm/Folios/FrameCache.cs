using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Single frames kept back by one processor, so that threads rarely meet at the free lists (Linux: <c>per_cpu_pages</c>).</summary>
internal sealed class FrameCache
{
    private const int Capacity = 128;
    private const int Batch = Capacity / 2;

    private readonly BuddyAllocator _buddy;
    private readonly RankedLock _lock = new(LockRank.MmFrameCache);

    /// <summary>A stack of free frames: the one freed last is the warmest. Guard: <see cref="_lock"/>.</summary>
    private readonly uint[] _frames = new uint[Capacity];

    private int _count;

    public FrameCache(BuddyAllocator buddy) => _buddy = buddy;

    /// <summary>Frames kept; racy, for statistics and for checks of a quiet engine.</summary>
    public int Count => _count;

    public uint Allocate()
    {
        using RankedLock.Scope held = _lock.Enter();
        if (_count == 0)
        {
            _count = _buddy.AllocateBatch(_frames.AsSpan(0, Batch));

            // The free lists hand out ascending frames; a stack would reverse them.
            _frames.AsSpan(0, _count).Reverse();
        }

        return _count == 0 ? 0 : _frames[--_count];
    }

    public void Free(uint number)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (_count == Capacity)
        {
            _buddy.FreeBatch(_frames.AsSpan(0, Batch));
            _frames.AsSpan(Batch, Capacity - Batch).CopyTo(_frames);
            _count -= Batch;
        }

        _frames[_count++] = number;
    }

    /// <summary>Gives everything back to the free lists.</summary>
    public void Drain()
    {
        using RankedLock.Scope held = _lock.Enter();
        _buddy.FreeBatch(_frames.AsSpan(0, _count));
        _count = 0;
    }
}
