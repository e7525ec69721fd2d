using System;

namespace Faultline.Bench;

/// <summary>CONTINUE of a fault's page together with its cached neighbours, on one CPU.</summary>
/// <param name="Pages">The pages installed at each fault.</param>
/// <param name="RatioToKernel">The .NET median divided by that of the kernel's own fault-around on the same memfd.</param>
/// <param name="RatioToC">The .NET median divided by the C median; null without a C row.</param>
/// <param name="Dotnet">The .NET rounds, for each page.</param>
/// <param name="C">The C rounds, for each page, or null.</param>
public sealed record ContinueRange(int Pages, double RatioToKernel, double? RatioToC, Timing Dotnet, Timing? C)
{
    /// <summary>Compares a range with the kernel and with C.</summary>
    internal static ContinueRange Of(int pages, Timing kernel, Timing dotnet, Timing? c) =>
        new(pages, Math.Round(dotnet.MedianNs / kernel.MedianNs, 3), Comparison.Of(dotnet, c).Ratio, dotnet, c);
}
