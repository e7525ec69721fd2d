using System;
using System.Diagnostics;
using System.IO;
using Xunit;

namespace Faultline.Cli.Tests;

/// <summary>Whether this machine can restore at all, as <c>faultline doctor</c> says.</summary>
internal static class MainJob
{
    private const int CannotRunHere = 3;

    private static readonly Lazy<bool> CanRun = new(AskDoctor);

    /// <summary>Skips the test unless it can.</summary>
    public static void Need() => Assert.SkipUnless(CanRun.Value, "This machine cannot restore: `faultline doctor` names what is missing, and how to get it.");

    private static bool AskDoctor()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "faultline"), ["doctor", "--json"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using Process doctor = Process.Start(start)!;
        _ = doctor.StandardOutput.ReadToEnd();
        Assert.True(doctor.WaitForExit(TimeSpan.FromSeconds(240)), "faultline doctor did not end.");
        return doctor.ExitCode != CannotRunHere;
    }
}
