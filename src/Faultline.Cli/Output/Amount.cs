using System;
using System.Globalization;

namespace Faultline.Cli.Output;

/// <summary>Numbers as people read them: three significant digits and a unit.</summary>
internal static class Amount
{
    public static string Bytes(long bytes) => bytes switch
    {
        < 0 => "-" + Bytes(-bytes),
        0 => "0",
        < 1024 => Invariant($"{bytes} B"),
        < 1L << 20 => Invariant($"{Three(bytes / 1024.0)} KiB"),
        < 1L << 30 => Invariant($"{Three(bytes / (double)(1L << 20))} MiB"),
        _ => Invariant($"{Three(bytes / (double)(1L << 30))} GiB"),
    };

    public static string Milliseconds(double ms) => ms switch
    {
        < 1 => Invariant($"{Three(ms * 1000)} µs"),
        < 1000 => Invariant($"{Three(ms)} ms"),
        _ => Invariant($"{Three(ms / 1000)} s"),
    };

    public static string Microseconds(double us) => Milliseconds(us / 1000);

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Percent(double percent) => Invariant($"{percent:0.##}%");

    private static string Three(double value) => value switch
    {
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
