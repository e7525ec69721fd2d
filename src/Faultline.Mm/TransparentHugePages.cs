namespace Faultline.Mm;

/// <summary>Which private anonymous memory gets huge pages when it is first written to (Linux: <c>/sys/kernel/mm/transparent_hugepage/enabled</c>).</summary>
public enum TransparentHugePages
{
    /// <summary>None; <c>MADV_COLLAPSE</c> still makes them.</summary>
    Never,

    /// <summary>What was advised so by <c>MADV_HUGEPAGE</c>.</summary>
    Madvise,

    /// <summary>All that is large and aligned enough, unless <c>MADV_NOHUGEPAGE</c> was given.</summary>
    Always,
}
