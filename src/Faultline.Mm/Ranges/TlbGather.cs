using System;

namespace Faultline.Mm;

/// <summary>
/// Frames whose entries were taken away, and that may be let go once no access uses them any more (Linux: <c>mmu_gather</c>). One is kept
/// for each thread.
/// </summary>
internal sealed unsafe class TlbGather
{
    private const int Capacity = 1024;

    [ThreadStatic]
    private static TlbGather? _current;

    private readonly uint[] _frames = new uint[Capacity];
    private int _count;
    private MmState? _mm;
    private bool _mustFlush;
    private ulong _start;
    private ulong _length;

    /// <summary>Whether another page would not fit: flush first, outside of the table's lock.</summary>
    public bool IsFull => _count == Capacity;

    /// <summary>Begins to gather for an address space; accesses drop everything.</summary>
    public static TlbGather Begin(MmState mm) => Begin(mm, 0, PageTable.UserEnd);

    /// <summary>Begins to gather for a range, which no entry that is changed or taken away lies outside of.</summary>
    public static TlbGather Begin(MmState mm, ulong start, ulong end)
    {
        TlbGather gather = _current ??= new TlbGather();
        if (gather._mm is not null)
        {
            // Reclaim inside an allocation inside a walk that gathers: rare enough for an object of its own.
            gather = new TlbGather();
        }

        gather._mm = mm;
        gather._start = start;
        gather._length = end - start;
        return gather;
    }

    /// <summary>An entry changed in a way that accesses must notice, but no frame goes.</summary>
    public void Touch() => _mustFlush = true;

    /// <summary>An entry for a frame was taken away; its reference is given back after the shoot-down.</summary>
    public void Add(uint frame)
    {
        _mustFlush = true;
        _frames[_count++] = frame;
    }

    /// <summary>Shoots down, and lets the frames go.</summary>
    public void Flush()
    {
        if (!_mustFlush)
        {
            return;
        }

        _mm!.Shootdown.Flush(_start, _length);
        _mustFlush = false;
        FolioPool pool = _mm.System.Pool;
        for (int i = 0; i < _count; i++)
        {
            pool.Put(pool.Memory.FolioAt(_frames[i]));
        }

        _count = 0;
    }

    /// <summary>Flushes, and ends gathering.</summary>
    public void End()
    {
        Flush();
        _mm = null;
    }
}
