using System;
using System.Collections.Generic;
using System.Globalization;
using Faultline.Cli.Patterns;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Commands;

/// <summary>Reads the words of the command line. Each wrong one is answered with one sentence that says what is allowed.</summary>
internal static class RestoreArguments
{
    public static int Clones(string text) =>
        Whole("--clones", text, 1, RestoreOptions.MaxClones, "each clone is a process");

    public static int Handlers(string text) =>
        Whole("--handlers", text, 1, 64, "each handler is a thread of the pager");

    public static ulong Seed(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
            ? seed
            : throw ToolException.BadInput($"--seed must be a whole number from 0 on, not '{text}'.");

    /// <summary>A size as <c>512M</c> or <c>10G</c>, at least 1 MiB.</summary>
    public static long CacheBytes(string text)
    {
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            _ => 0,
        };
        ReadOnlySpan<char> digits = shift == 0 ? text : text.AsSpan(0, text.Length - 1);
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= long.MaxValue >> shift >> 3
            && number << shift >= 1 << 20
            ? number << shift
            : throw ToolException.BadInput($"--cache-size must be a size from 1M on, for example 512M or 10G, not '{text}'.");
    }

    public static double TouchPercent(string text)
    {
        double percent = Percent("--touch", text);
        return percent > 0 ? percent : throw ToolException.BadInput("--touch must be more than 0%: a clone that touches nothing shows nothing.");
    }

    public static double WritePercent(string text) => Percent("--write", text);

    public static AccessPattern Pattern(string text) => text switch
    {
        "sequential" => AccessPattern.Sequential,
        "random" => AccessPattern.Random,
        "zipf" => AccessPattern.Zipf,
        "trace" => AccessPattern.Trace,
        _ => throw ToolException.BadInput($"--pattern must be sequential, random, zipf or trace, not '{text}'."),
    };

    /// <summary>The modes to compare with, in the order they are run, each once.</summary>
    public static IReadOnlyList<RestoreMode> Compare(IEnumerable<string> texts)
    {
        var modes = new SortedSet<RestoreMode>();
        foreach (string text in texts)
        {
            modes.UnionWith(text switch
            {
                "copy" => [RestoreMode.Copy],
                "eager" => [RestoreMode.Eager],
                "mmap" => [RestoreMode.Mmap],
                "all" => new[] { RestoreMode.Copy, RestoreMode.Eager, RestoreMode.Mmap },
                _ => throw ToolException.BadInput($"--compare must be copy, eager, mmap or all, not '{text}'."),
            });
        }

        return [.. modes];
    }

    private static int Whole(string option, string text, int least, int most, string reason) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw ToolException.BadInput($"{option} must be a whole number from {least} to {most} ({reason}), not '{text}'.");

    private static double Percent(string option, string text)
    {
        ReadOnlySpan<char> number = text.AsSpan().Trim().TrimEnd('%');
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent <= 100
            ? percent
            : throw ToolException.BadInput($"{option} must be a percentage from 0% to 100%, not '{text}'.");
    }
}
