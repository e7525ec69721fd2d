using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Goes over all memory and makes huge pages where they are wanted and can be had (Linux: <c>khugepaged</c>).</summary>
internal sealed class Khugepaged : IDisposable
{
    private readonly KhugepagedOptions _options;
    private readonly CollapseLimits _limits;
    private readonly Func<IEnumerable<MmState>> _listSpaces;
    private readonly Parker _pause = new();
    private readonly Thread? _thread;
    private volatile bool _isOver;

    /// <summary>Starts the thread, if there is an interval.</summary>
    public Khugepaged(KhugepagedOptions options, Func<IEnumerable<MmState>> listSpaces)
    {
        _options = options;
        _listSpaces = listSpaces;
        _limits = new CollapseLimits(options.MaxAbsentPages, options.MaxSwappedPages, options.MaxSharedPages, MustBeUsed: true);
        if (options.Interval > TimeSpan.Zero)
        {
            _thread = new Thread(RunByItself) { IsBackground = true, Name = "khugepaged" };
            _thread.Start();
        }
    }

    /// <summary>Goes over everything once.</summary>
    /// <returns>The huge pages made.</returns>
    public int Scan()
    {
        int made = 0;
        foreach (MmState mm in _listSpaces())
        {
            using var use = MmUse.Begin(mm);
            if (use.IsHeld)
            {
                made += Scan(mm);
            }
        }

        return made;
    }

    public void Dispose()
    {
        _isOver = true;
        _pause.Unpark();
        _thread?.Join();
        _pause.Dispose();
    }

    private void RunByItself()
    {
        while (!_isOver)
        {
            _ = _pause.Park((int)Math.Min(_options.Interval.TotalMilliseconds + 1, int.MaxValue));
            if (!_isOver)
            {
                _ = Scan();
            }
        }
    }

    private int Scan(MmState mm)
    {
        int made = 0;
        ulong at = 0;
        while (!_isOver && !mm.IsKilled && TryFindNext(mm, ref at))
        {
            made += Collapse.At(mm, at, in _limits, mapsIt: false) == CollapseResult.Done ? 1 : 0;
            at += PageSize.Huge;
        }

        return made;
    }

    /// <summary>The next aligned range that lies in a mapping that huge pages are wanted in.</summary>
    private bool TryFindNext(MmState mm, ref ulong at)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        for (Vma? vma = mm.Vmas.FindFrom(at); vma is not null; vma = mm.Vmas.Next(vma))
        {
            ulong start = HugeRange.StartOf(Math.Max(at, vma.Start) + PageSize.Huge - 1);
            if (IsWanted(vma) && start + PageSize.Huge <= vma.End)
            {
                at = start;
                return true;
            }
        }

        return false;
    }

    private bool IsWanted(Vma vma)
    {
        TransparentHugePages policy = vma.IsAnonymous ? vma.Mm.System.TransparentHugePages : _options.Files;
        bool isWanted = policy == TransparentHugePages.Always || (policy == TransparentHugePages.Madvise && vma.Has(VmaFlags.HugePage));
        return isWanted && CollapseScan.Allows(vma);
    }
}
