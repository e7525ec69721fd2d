using System;

namespace Faultline.Verification.Kernel;

/// <summary>Looks at an engine without changing more than any reader would: nothing is faulted in, only pages that are present are read.</summary>
internal static class Observer
{
    // Marks in Contents for pages that are not there, or are there and cannot be read.
    private const ulong NotPresent = 0;
    private const ulong NotReadable = 1;

    /// <summary>The cheap part: entries of the arena, sizes of files.</summary>
    public static void Look(EngineSide side, SideObservation seen)
    {
        for (int space = 0; space < Arena.Spaces; space++)
        {
            if (side.Spaces[space] is { } present)
            {
                present.Inspector.ReadPagemap(Arena.Range.Start, seen.Pagemaps[space]);
            }
        }

        for (int file = 0; file < Arena.Files; file++)
        {
            seen.Files[file] = side.Files[file]?.GetStatus().Value ?? default;
        }
    }

    /// <summary>Everything else: resident counters, mappings, contents.</summary>
    public static void LookClosely(EngineSide side, SideObservation seen)
    {
        for (int space = 0; space < Arena.Spaces; space++)
        {
            if (side.Spaces[space] is { } present)
            {
                seen.Counters[space] = present.Inspector.GetCounters().Value;
                seen.Mappings[space] = present.Inspector.GetMappings(Arena.Range).Value;
                LookAt(side, space, 0, Arena.Pages, seen);
            }
        }

        for (int file = 0; file < Arena.Files; file++)
        {
            byte[] bytes = seen.FileBytes[file];
            int done = 0;
            if (side.Files[file] is { } present)
            {
                SystemResult<int> read = present.Read(0, bytes);
                done = read.IsOk ? read.Value : 0;
            }

            bytes.AsSpan(done).Clear();
        }
    }

    /// <summary>Reads the pages of a range that are present.</summary>
    public static void LookAt(EngineSide side, int space, int first, int end, SideObservation seen)
    {
        PagemapEntry[] entries = seen.Pagemaps[space];
        ulong[] contents = seen.Contents[space];
        int page = first;
        while (page < end)
        {
            if (!entries[page].IsPresent)
            {
                contents[page++] = NotPresent;
                continue;
            }

            int stop = page;
            while (stop < end && entries[stop].IsPresent)
            {
                stop++;
            }

            page = ReadRun(side.Access(-1, space, AccessMode.User)!, page, stop, contents);
        }
    }

    private static int ReadRun(IMemoryAccess access, int first, int end, ulong[] contents)
    {
        Span<byte> buffer = stackalloc byte[8 * (int)PageSize.Small];
        int count = Math.Min(end - first, buffer.Length / (int)PageSize.Small);
        AccessResult read = access.Read(Arena.At(first), buffer[..(count * (int)PageSize.Small)]);
        int done = (int)(read.BytesDone >> PageSize.SmallShift);
        for (int i = 0; i < done; i++)
        {
            contents[first + i] = Pattern.Hash(buffer.Slice(i * (int)PageSize.Small, (int)PageSize.Small)) | 2;
        }

        if (done < count)
        {
            contents[first + done] = NotReadable + ((ulong)read.Fault << 8);
            done++;
        }

        return first + done;
    }
}
