namespace Faultline.Mm;

/// <summary>The arguments of one mremap, rounded to pages (Linux: <c>vma_remap_struct</c>).</summary>
internal struct RemapPlan
{
    public ulong From { get; init; }

    public ulong OldLength { get; set; }

    public ulong NewLength { get; set; }

    public ulong To { get; set; }

    /// <summary>The events of what made room: they are told before the move; what is cut off and left behind is told after it.</summary>
    public int EarlyEvents { get; set; }

    /// <summary>Where memory that has grown while it moved begins, if it is locked: it is brought in. Zero if nothing is.</summary>
    public ulong GrownFrom { get; set; }

    public RemapOptions Options { get; init; }

    public readonly bool MayMove => (Options & RemapOptions.MayMove) != 0;

    public readonly bool IsFixed => (Options & RemapOptions.Fixed) != 0;

    /// <summary>MREMAP_DONTUNMAP.</summary>
    public readonly bool KeepsSource => (Options & RemapOptions.DontUnmap) != 0;

    /// <summary>It moves, whatever fits.</summary>
    public readonly bool HasTarget => IsFixed || KeepsSource;
}
