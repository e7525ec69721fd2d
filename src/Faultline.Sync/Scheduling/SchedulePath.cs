using System;
using System.Globalization;

namespace Faultline.Sync.Scheduling;

/// <summary>The printed form of a schedule: one character for each choice, the number of the thread that ran on.</summary>
internal static class SchedulePath
{
    /// <summary>As many threads as one character can name.</summary>
    public const int MaxThreads = 36;

    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    public static char Digit(int thread) => Digits[thread];

    public static int Thread(char digit)
    {
        int thread = Digits.IndexOf(digit, StringComparison.Ordinal);
        return thread >= 0
            ? thread
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{digit}' is no thread: a path holds 0-9 and a-z."));
    }
}
