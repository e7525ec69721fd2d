using System.Collections.Generic;
using Faultline.Paging;

namespace Faultline.Verification.Races;

/// <summary>A copy of memory, kept up to date by a tracker of writes: of two pages, one word each.</summary>
internal sealed class CopyByTracker(RaceBed bed, AddressRange area, DirtyTracking kind)
{
    private readonly ulong[] _words = [RaceBed.Old, RaceBed.Old];
    private readonly int[] _taken = new int[2];
    private readonly List<AddressRange> _written = [];
    private readonly IMemoryAccess _reader = bed.Access();
    private IDirtyTracker? _tracker;

    public void Begin() => _tracker = DirtyTracker.Start(bed.Engine, bed.Space, area, kind);

    /// <summary>Copies what was written.</summary>
    public void Take()
    {
        _tracker!.TakeWritten(_written);
        for (int page = 0; page < _words.Length; page++)
        {
            if (_written.Exists(range => range.Contains(RaceBed.PageOf(area, page).Start)))
            {
                _taken[page]++;
                _words[page] = RaceBed.Load(_reader, area, page);
            }
        }
    }

    /// <summary>Ends the tracker, and requires that the copy is the memory.</summary>
    public void RequireEqual(int written, int unwritten)
    {
        _tracker!.Dispose();
        RaceBed.Require(_taken[written] > 0, "a write was lost.");
        RaceBed.Require(_taken[unwritten] == 0, "a page was told that nobody wrote.");
        for (int page = 0; page < _words.Length; page++)
        {
            ulong word = RaceBed.Load(_reader, area, page);
            RaceBed.Require(word == _words[page], $"page {page} has {word:x}, and its copy {_words[page]:x}.");
        }
    }
}
