using System;
using System.Globalization;

namespace Faultline.Cli.Processes;

/// <summary>The names under which clones attach to the pager.</summary>
internal static class CloneName
{
    private const string Prefix = "clone ";

    public static string Of(int clone) => Prefix + clone.ToString(CultureInfo.InvariantCulture);

    /// <summary>The number in a name, or -1.</summary>
    public static int Parse(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int clone)
            ? clone
            : -1;
}
