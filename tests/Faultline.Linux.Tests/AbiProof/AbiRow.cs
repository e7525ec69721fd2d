using System;
using System.Globalization;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>One fact about the kernel's interface: what we say, and the C expression that must say the same.</summary>
/// <param name="Name">Our name, for messages.</param>
/// <param name="Expression">The C expression.</param>
/// <param name="Value">Our value.</param>
/// <param name="Guard">The macro that tells whether the header knows the thing; null to take every macro in the expression.</param>
internal readonly record struct AbiRow(string Name, string Expression, long Value, string? Guard = null)
{
    /// <summary>A constant's 64 bits.</summary>
    internal static long BitsOf(object? constant) =>
        constant is ulong unsigned ? unchecked((long)unsigned) : Convert.ToInt64(constant, CultureInfo.InvariantCulture);
}
