using System;
using System.Buffers.Text;
using System.Collections.Generic;

namespace Faultline.Linux;

/// <summary>Parses <c>/proc/pid/smaps</c> (proc_pid_smaps(5)): a header line for each mapping, then <c>Label: amount kB</c> lines, then VmFlags.</summary>
internal static class SmapsParser
{
    /// <summary>The mappings that share at least one byte with a range.</summary>
    internal static List<VmaInfo> Parse(ReadOnlySpan<byte> text, AddressRange within)
    {
        List<VmaInfo> mappings = [];
        VmaInfo current = default;
        bool isWanted = false;
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref text);
            if (IsHeader(line))
            {
                Add(mappings, current, isWanted);
                current = ParseHeader(line);
                isWanted = Overlaps(current.Range, within);
            }
            else if (isWanted)
            {
                current = ParseDetail(line, current);
            }
        }

        Add(mappings, current, isWanted);
        return mappings;
    }

    private static void Add(List<VmaInfo> mappings, VmaInfo mapping, bool isWanted)
    {
        if (isWanted)
        {
            mappings.Add(mapping);
        }
    }

    // Written so that a range up to the very end of the address space, which wraps to zero, is understood.
    private static bool Overlaps(AddressRange mapping, AddressRange within) =>
        within.Length != 0 && (within.Contains(mapping.Start) || mapping.Contains(within.Start));

    // Labels begin with an upper-case letter, addresses with a lower-case hexadecimal digit.
    private static bool IsHeader(ReadOnlySpan<byte> line) => !line.IsEmpty && line[0] is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'f');

    private static VmaInfo ParseHeader(ReadOnlySpan<byte> line)
    {
        ulong start = TakeHex(ref line);
        ulong end = TakeHex(ref line);
        ReadOnlySpan<byte> rights = line[..4];
        line = line[5..];
        ulong offset = TakeHex(ref line);
        Protections protection = (rights[0] == 'r' ? Protections.Read : 0)
            | (rights[1] == 'w' ? Protections.Write : 0)
            | (rights[2] == 'x' ? Protections.Execute : 0);
        return new()
        {
            Range = AddressRange.Between(new(start), new(end)),
            Protection = protection,
            IsShared = rights[3] == 's',
            FileOffset = offset,
        };
    }

    private static VmaInfo ParseDetail(ReadOnlySpan<byte> line, VmaInfo info)
    {
        int colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            return info;
        }

        ReadOnlySpan<byte> label = line[..colon];
        ReadOnlySpan<byte> value = line[(colon + 1)..].TrimStart((byte)' ');
        if (label.SequenceEqual("VmFlags"u8))
        {
            return ParseFlags(value, info);
        }

        _ = Utf8Parser.TryParse(value, out ulong kilobytes, out _);
        ulong bytes = kilobytes << 10;
        return label switch
        {
            _ when label.SequenceEqual("Rss"u8) => info with { Resident = bytes },
            _ when label.SequenceEqual("Pss"u8) => info with { ProportionalResident = bytes },
            _ when label.SequenceEqual("Shared_Clean"u8) => info with { SharedClean = bytes },
            _ when label.SequenceEqual("Shared_Dirty"u8) => info with { SharedDirty = bytes },
            _ when label.SequenceEqual("Private_Clean"u8) => info with { PrivateClean = bytes },
            _ when label.SequenceEqual("Private_Dirty"u8) => info with { PrivateDirty = bytes },
            _ when label.SequenceEqual("Anonymous"u8) => info with { Anonymous = bytes },
            _ when label.SequenceEqual("Swap"u8) => info with { Swap = bytes },
            _ when label.SequenceEqual("AnonHugePages"u8) => info with { AnonymousHuge = bytes },
            _ when label.SequenceEqual("ShmemPmdMapped"u8) => info with { ShmemHuge = bytes },
            _ when label.SequenceEqual("Shared_Hugetlb"u8) => info with { SharedHugetlb = bytes },
            _ when label.SequenceEqual("Private_Hugetlb"u8) => info with { PrivateHugetlb = bytes },
            _ => info,
        };
    }

    private static VmaInfo ParseFlags(ReadOnlySpan<byte> flags, VmaInfo info)
    {
        RegisterModes modes = RegisterModes.None;
        bool isLocked = false;
        while (flags.Length >= 2)
        {
            ReadOnlySpan<byte> flag = flags[..2];
            modes |= flag.SequenceEqual("um"u8) ? RegisterModes.Missing : 0;
            modes |= flag.SequenceEqual("uw"u8) ? RegisterModes.WriteProtect : 0;
            modes |= flag.SequenceEqual("ui"u8) ? RegisterModes.Minor : 0;
            isLocked |= flag.SequenceEqual("lo"u8);
            flags = flags[2..].TrimStart((byte)' ');
        }

        return info with { RegisteredModes = modes, IsLocked = isLocked };
    }

    private static ReadOnlySpan<byte> TakeLine(ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return line;
    }

    // A number and the one separator after it.
    private static ulong TakeHex(ref ReadOnlySpan<byte> line)
    {
        _ = Utf8Parser.TryParse(line, out ulong value, out int consumed, 'x');
        line = line[Math.Min(consumed + 1, line.Length)..];
        return value;
    }
}
