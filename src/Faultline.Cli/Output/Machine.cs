using System;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Faultline.Cli.Output;

/// <summary>One line about where the numbers come from.</summary>
internal static class Machine
{
    public static string Describe()
    {
        string system = $"Linux {Environment.OSVersion.Version}, {RuntimeInformation.OSArchitecture}";
        return string.Create(CultureInfo.InvariantCulture, $"{system}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}");
    }
}
