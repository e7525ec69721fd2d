using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Faultline.Linux.Children;

/// <summary>The address ranges mapped in a process.</summary>
internal static class ProcessMappings
{
    internal static IReadOnlyList<AddressRange> Read(int processId)
    {
        List<AddressRange> ranges = [];
        foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/maps")))
        {
            int dash = line.IndexOf('-', StringComparison.Ordinal);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            ulong start = ulong.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong end = ulong.Parse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ranges.Add(AddressRange.Between(new(start), new(end)));
        }

        return ranges;
    }
}
