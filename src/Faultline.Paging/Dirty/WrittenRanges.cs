using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>Joins neighbours while ranges are added in order.</summary>
internal ref struct WrittenRanges(ICollection<AddressRange> target)
{
    private AddressRange _last;

    public ulong Bytes { get; private set; }

    public void Add(AddressRange range)
    {
        Bytes += range.Length;
        if (_last.Length != 0 && _last.End == range.Start)
        {
            _last = AddressRange.Between(_last.Start, range.End);
            return;
        }

        End();
        _last = range;
    }

    /// <summary>Hands over the last range.</summary>
    public void End()
    {
        if (_last.Length != 0)
        {
            target.Add(_last);
            _last = default;
        }
    }
}
