using System.Collections.Generic;

namespace Faultline.Verification.Review;

/// <summary>One row of the table of the five cases.</summary>
/// <param name="Case">1 to 5.</param>
/// <param name="Operation">What is done.</param>
/// <param name="IsWritable">Whether the mapping may be written.</param>
/// <param name="WriteProtect">Whether write-protection was asked for.</param>
/// <param name="Cells">What came of it.</param>
public sealed record InstallRow(int Case, string Operation, bool IsWritable, bool WriteProtect, IReadOnlyList<InstallCell> Cells);
