using System;
using System.Collections.Generic;

namespace Faultline.Stores;

/// <summary>Cuts an image into runs of chunks that must be read and runs that are the base's.</summary>
internal static class ChangedChunks
{
    /// <param name="length">The length of the image.</param>
    /// <param name="below">The base.</param>
    /// <param name="changed">Where the image may differ from it, in any order.</param>
    public static IEnumerable<(ulong Length, bool IsChanged)> Of(ulong length, ImagePageStore below, IEnumerable<ImageRange> changed)
    {
        ulong chunkBytes = (ulong)below.ChunkBytes;
        bool[] isChanged = new bool[(length + chunkBytes - 1) / chunkBytes];
        foreach (ImageRange range in changed)
        {
            ulong end = Math.Min(length, range.Offset + range.Length);
            for (ulong chunk = range.Offset / chunkBytes; chunk * chunkBytes < end; chunk++)
            {
                isChanged[chunk] = true;
            }
        }

        // What the base does not have, or has in another length, cannot be taken from it.
        ulong whole = length == below.Length ? length : Math.Min(length, below.Length) / chunkBytes * chunkBytes;
        for (ulong chunk = 0; chunk < (ulong)isChanged.Length; chunk++)
        {
            isChanged[chunk] |= Math.Min(length, (chunk + 1) * chunkBytes) > whole;
        }

        for (int first = 0; first < isChanged.Length;)
        {
            int end = first + 1;
            while (end < isChanged.Length && isChanged[end] == isChanged[first])
            {
                end++;
            }

            yield return (Math.Min(length, (ulong)end * chunkBytes) - ((ulong)first * chunkBytes), isChanged[first]);
            first = end;
        }
    }
}
