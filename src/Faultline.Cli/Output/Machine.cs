using System;
using System.Globalization;
using System.Runtime.InteropServices;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Output;

/// <summary>One line about where the numbers come from.</summary>
internal static class Machine
{
    public static string Describe(RestoreEngine engine)
    {
        string system = $"{(OperatingSystem.IsLinux() ? "Linux " + Environment.OSVersion.Version : RuntimeInformation.OSDescription)}, {RuntimeInformation.OSArchitecture}";
        string on = engine == RestoreEngine.Managed ? "; the managed engine, in one process" : string.Empty;
        return string.Create(
            CultureInfo.InvariantCulture, $"{system}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}{on}");
    }
}
