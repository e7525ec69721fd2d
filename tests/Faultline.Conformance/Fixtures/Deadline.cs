using System;
using System.Globalization;

namespace Faultline.Conformance;

/// <summary>How long cases wait.</summary>
public static class Deadline
{
    /// <summary>The longest wait for something that must happen.</summary>
    public static readonly TimeSpan Normal = ReadSeconds("FAULTLINE_TEST_DEADLINE_SECONDS", 60);

    /// <summary>The same, in milliseconds.</summary>
    public static readonly int NormalMs = (int)Normal.TotalMilliseconds;

    /// <summary>How long something that must not happen is given to happen.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(60);

    private static TimeSpan ReadSeconds(string variable, int otherwise) =>
        TimeSpan.FromSeconds(
            int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
                ? seconds
                : otherwise);
}
