namespace Faultline.Bench;

/// <summary>The order of accesses.</summary>
internal enum WalkPattern
{
    /// <summary>One page after the other; each thread in a part of its own.</summary>
    Sequential = 0,

    /// <summary>Any page, all alike.</summary>
    Random = 1,

    /// <summary>Any page, few of them most of the time (theta 0.99).</summary>
    Zipf = 2,
}
