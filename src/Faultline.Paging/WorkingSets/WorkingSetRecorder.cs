using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Notes which pages of an image its clients touch, in order. Neighbours that one fault brings count as touched with it, and so does what is leased.
/// </summary>
public sealed class WorkingSetRecorder : IDisposable
{
    private readonly PagedImage _image;
    private readonly PageBits _seen;
    private readonly RankedLock _lock = new(LockRank.PagerSpares);
    private readonly List<PageTouch> _touches = [];

    internal WorkingSetRecorder(PagedImage image)
    {
        _image = image;
        _seen = new PageBits(image.Table.Count);
    }

    /// <summary>What was touched so far.</summary>
    public WorkingSet ToWorkingSet()
    {
        using RankedLock.Scope held = _lock.Enter();
        return new WorkingSet(_image.Length, [.. _touches]);
    }

    /// <summary>Ends the recording. What was noted stays.</summary>
    public void Dispose() => _image.StopRecording(this);

    internal void Note(int page, int count, PageFaultKind kind, bool isWrite)
    {
        int end = page + count;
        while (page < end && _seen[page])
        {
            page++;
        }

        if (page == end)
        {
            return;
        }

        using RankedLock.Scope held = _lock.Enter();
        _seen.Set(page, end - page);
        _touches.Add(new PageTouch(page, end - page, kind, isWrite));
    }
}
