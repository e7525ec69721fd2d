using System;
using System.Collections.Generic;
using Faultline.Linux.Children;

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
                LookAt(side, space, 0, Arena.Pages, seen.Mappings[space], seen);
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

            seen.FileLengths[file] = done;
        }
    }

    /// <summary>Reads the pages of a range that are present.</summary>
    /// <param name="side">The engine.</param>
    /// <param name="space">The address space.</param>
    /// <param name="first">The first page.</param>
    /// <param name="end">The page behind the last one.</param>
    /// <param name="mappings">Which pages can be read at all: the others are tried by an access, which says what they answer.</param>
    /// <param name="seen">What was seen of the entries; the contents are put here.</param>
    public static void LookAt(EngineSide side, int space, int first, int end, IReadOnlyList<VmaInfo> mappings, SideObservation seen)
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

            bool isReadable = IsReadable(mappings, page);
            int stop = page + 1;
            while (stop < end && entries[stop].IsPresent && IsReadable(mappings, stop) == isReadable)
            {
                stop++;
            }

            page = ReadRun(side, space, page, stop, isReadable, seen);
        }
    }

    private static bool IsReadable(IReadOnlyList<VmaInfo> mappings, int page)
    {
        VirtualAddress address = Arena.At(page);
        foreach (VmaInfo mapping in mappings)
        {
            if (mapping.Range.Contains(address))
            {
                return (mapping.Protection & Protections.Read) != 0;
            }
        }

        return false;
    }

    // The kernel's pages are read without a turn of its process; if that may not be, or fails, by an access.
    private static int ReadRun(EngineSide side, int space, int first, int end, bool isReadable, SideObservation seen)
    {
        int count = Math.Min(end - first, seen.Buffer.Length / (int)PageSize.Small);
        Span<byte> buffer = seen.Buffer.AsSpan(0, count * (int)PageSize.Small);
        ulong[] contents = seen.Contents[space];
        AccessResult read = default;
        int done = count;
        if (!isReadable || side.Spaces[space] is not ChildAddressSpace child || child.Peek(Arena.At(first), buffer) != buffer.Length)
        {
            read = side.Access(-1, space, AccessMode.User)!.Read(Arena.At(first), buffer);
            done = (int)(read.BytesDone >> PageSize.SmallShift);
        }

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
