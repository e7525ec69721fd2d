using System.Collections.Generic;

namespace Faultline.Verification.Review;

/// <summary>The area a history plays in.</summary>
/// <param name="Memory">What memory it is.</param>
/// <param name="IsWritable">Whether it is mapped readable and writable, or readable only.</param>
/// <param name="IsLimited">Whether the file may have no more than one page.</param>
internal sealed record ReviewArea(ReviewMemory Memory, bool IsWritable, bool IsLimited = false)
{
    /// <summary>Every area the search looks at, the plainest first.</summary>
    public static IReadOnlyList<ReviewArea> All { get; } =
    [
        new(ReviewMemory.Anonymous, IsWritable: true),
        new(ReviewMemory.Anonymous, IsWritable: false),
        new(ReviewMemory.PrivateFile, IsWritable: true),
        new(ReviewMemory.PrivateFile, IsWritable: false),
        new(ReviewMemory.SharedFile, IsWritable: true),
        new(ReviewMemory.SharedFile, IsWritable: false),
        new(ReviewMemory.SharedFile, IsWritable: true, IsLimited: true),
    ];

    public bool HasFile => Memory != ReviewMemory.Anonymous;
}
