using System;

namespace Faultline.Conformance;

/// <summary>Issues any of the filling calls.</summary>
public static class FillVerbs
{
    /// <summary>Issues the call on a range.</summary>
    /// <param name="verb">The call.</param>
    /// <param name="uffd">The context.</param>
    /// <param name="range">The destination.</param>
    /// <param name="moveSource">Where MOVE takes its pages from; the others ignore it.</param>
    /// <param name="modes">Mode bits, which have the same values for all calls as far as they exist.</param>
    /// <param name="seed">The pattern COPY copies.</param>
    public static FillResult Issue(
        this FillVerb verb,
        IUserfaultfd uffd,
        AddressRange range,
        VirtualAddress moveSource = default,
        FillModes modes = FillModes.None,
        ulong seed = 1) =>
        verb switch
        {
            FillVerb.Copy => uffd.Copy(range.Start, Pattern.Bytes(range.Length, seed), modes),
            FillVerb.Zeropage => uffd.Zeropage(range, modes),
            FillVerb.Continue => uffd.Continue(range, modes),
            FillVerb.Poison => uffd.Poison(range, modes),
            FillVerb.Move => uffd.Move(range.Start, moveSource, range.Length, (MoveModes)modes),
            _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, "No such call."),
        };
}
