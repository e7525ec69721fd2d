using System.Collections.Generic;

namespace Faultline.Stores;

/// <summary>Collects the parts in which two images differ, and joins neighbours.</summary>
internal sealed class DifferenceRanges
{
    private const int MostRanges = 1000;

    private readonly List<ImageRange> _ranges = [];
    private ImageRange _last;
    private long _count;
    private ulong _bytes;

    public void Add(ulong offset, ulong length)
    {
        _bytes += length;
        if (_last.Length != 0 && offset == _last.Offset + _last.Length)
        {
            _last = _last with { Length = _last.Length + length };
            return;
        }

        Keep();
        _last = new ImageRange(offset, length);
    }

    public ImageDifference ToDifference(int stepBytes, bool isByIndex)
    {
        Keep();
        _last = default;
        return new ImageDifference(_ranges, _count, _bytes, stepBytes, isByIndex);
    }

    private void Keep()
    {
        if (_last.Length != 0)
        {
            _count++;
            if (_ranges.Count < MostRanges)
            {
                _ranges.Add(_last);
            }
        }
    }
}
