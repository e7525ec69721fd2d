using System;

namespace Faultline.Bench;

/// <summary>A .NET row beside a C one.</summary>
/// <param name="Ratio">The .NET median divided by the C median; null without a C row.</param>
/// <param name="Dotnet">The .NET rounds.</param>
/// <param name="C">The C rounds, or null.</param>
public sealed record Comparison(double? Ratio, Timing Dotnet, Timing? C)
{
    /// <summary>Compares two rows.</summary>
    internal static Comparison Of(Timing dotnet, Timing? c) =>
        new(c is null ? null : Math.Round(dotnet.MedianNs / c.MedianNs, 3), dotnet, c);
}
