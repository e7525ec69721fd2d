namespace Faultline.Paging.Tests;

/// <summary>Who has registered the memory under test.</summary>
public enum MemoryOwner
{
    /// <summary>Nobody.</summary>
    Program,

    /// <summary>A pager, which serves its faults.</summary>
    Pager,
}
