using System;
using System.Buffers.Text;
using System.Collections.Generic;

namespace Faultline.Linux;

/// <summary>Parses <c>/proc/pid/smaps</c> (proc_pid_smaps(5)): a header line for each mapping, then <c>Label: amount kB</c> lines, then VmFlags.</summary>
/// <param name="within">What is asked for: mappings that share at least one byte with it.</param>
/// <param name="mappings">Where they are put.</param>
internal struct SmapsParser(AddressRange within, List<VmaInfo> mappings)
{
    private VmaInfo _current;
    private bool _isWanted;

    /// <summary>Whether a mapping behind the range was met: nothing that follows is wanted.</summary>
    internal bool IsBehind { get; private set; }

    /// <summary>Parses a whole text.</summary>
    internal static List<VmaInfo> Parse(ReadOnlySpan<byte> text, AddressRange within)
    {
        List<VmaInfo> mappings = [];
        SmapsParser parser = new(within, mappings);
        parser.Parse(text);
        parser.End();
        return mappings;
    }

    /// <summary>Parses the lines that are complete.</summary>
    /// <returns>How many bytes that were; the others are to be given again, with what follows them.</returns>
    internal int Parse(ReadOnlySpan<byte> text)
    {
        int used = 0;
        while (!IsBehind)
        {
            int length = text[used..].IndexOf((byte)'\n');
            if (length < 0)
            {
                break;
            }

            ParseLine(text.Slice(used, length));
            used += length + 1;
        }

        return used;
    }

    /// <summary>Puts the last mapping where the others are.</summary>
    internal void End()
    {
        if (_isWanted)
        {
            mappings.Add(_current);
            _isWanted = false;
        }
    }

    private void ParseLine(ReadOnlySpan<byte> line)
    {
        if (IsHeader(line))
        {
            End();
            _current = ParseHeader(line);
            _isWanted = Overlaps(_current.Range, within);
            IsBehind = !_isWanted && within.Length != 0 && _current.Range.Start > within.Start;
        }
        else if (_isWanted)
        {
            ParseDetail(line, ref _current);
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

    private static void ParseDetail(ReadOnlySpan<byte> line, ref VmaInfo info)
    {
        int colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            return;
        }

        ReadOnlySpan<byte> label = line[..colon];
        ReadOnlySpan<byte> value = line[(colon + 1)..].TrimStart((byte)' ');
        if (label.SequenceEqual("VmFlags"u8))
        {
            info = ParseFlags(value, info);
            return;
        }

        _ = Utf8Parser.TryParse(value, out ulong kilobytes, out _);
        if (kilobytes == 0)
        {
            // Most are, and so they were.
            return;
        }

        ulong bytes = kilobytes << 10;
        info = label switch
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

    // A number and the one separator after it.
    private static ulong TakeHex(ref ReadOnlySpan<byte> line)
    {
        _ = Utf8Parser.TryParse(line, out ulong value, out int consumed, 'x');
        line = line[Math.Min(consumed + 1, line.Length)..];
        return value;
    }
}
