using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// The printed form of a schedule: for each choice the number of the thread that ran on, one character; one that was chosen several times in
/// a row may be followed by <c>x</c>, how often, and a dot.
/// </summary>
internal static class SchedulePath
{
    /// <summary>As many threads as one character can name, without the <c>x</c>.</summary>
    public const int MaxThreads = 32;

    private const string Digits = "0123456789abcdefghijklmnopqrstuv";

    /// <summary>A run of choices shorter than this is written out.</summary>
    private const int ShortestRun = 5;

    public static string Print(List<byte> choices)
    {
        StringBuilder text = new();
        int at = 0;
        while (at < choices.Count)
        {
            int end = at;
            while (end < choices.Count && choices[end] == choices[at])
            {
                end++;
            }

            char digit = Digits[choices[at]];
            _ = end - at < ShortestRun
                ? text.Append(digit, end - at)
                : text.Append(CultureInfo.InvariantCulture, $"{digit}x{end - at}.");
            at = end;
        }

        return text.ToString();
    }

    public static List<byte> Parse(string path)
    {
        List<byte> choices = [];
        int at = 0;
        while (at < path.Length)
        {
            byte thread = Thread(path[at++]);
            int count = 1;
            if (at < path.Length && path[at] == 'x')
            {
                int end = path.IndexOf('.', at);
                if (end < 0 || !int.TryParse(path.AsSpan(at + 1, end - at - 1), CultureInfo.InvariantCulture, out count))
                {
                    throw new FormatException($"The path '{path}' has an 'x' without a number and a dot after it.");
                }

                at = end + 1;
            }

            for (int i = 0; i < count; i++)
            {
                choices.Add(thread);
            }
        }

        return choices;
    }

    private static byte Thread(char digit)
    {
        int thread = Digits.IndexOf(digit, StringComparison.Ordinal);
        return thread >= 0
            ? (byte)thread
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{digit}' is no thread: a path holds 0-9 and a-v."));
    }
}
