using System;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Faultline.Cli.Output;

/// <summary>One line about where the numbers come from.</summary>
internal static class Machine
{
    public static string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"Linux {Environment.OSVersion.Version}, {RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}");
}
