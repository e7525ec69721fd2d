namespace Faultline.Verification.Kernel;

/// <summary>
/// One step of a program. Objects are numbers: pages of the arena, contexts, files, actors, address spaces. What a member means depends on the
/// verb; a member that a verb does not use is zero.
/// </summary>
internal readonly record struct Step
{
    /// <summary>What is done.</summary>
    public StepVerb Verb { get; init; }

    /// <summary>The address space: 0, or that of a fork.</summary>
    public int Space { get; init; }

    /// <summary>The thread that does it, if it might sleep.</summary>
    public int Actor { get; init; }

    /// <summary>The userfaultfd.</summary>
    public int Context { get; init; }

    /// <summary>The file.</summary>
    public int File { get; init; }

    /// <summary>The first page: of the arena, or of the file for a file's verbs.</summary>
    public int Page { get; init; }

    /// <summary>The length in pages.</summary>
    public int Pages { get; init; }

    /// <summary>A second place: the source, the target of a remap, the page of the file that a mapping begins with.</summary>
    public int Other { get; init; }

    /// <summary>Flags or a kind, as the verb wants them.</summary>
    public ulong Mode { get; init; }

    /// <summary>A further argument.</summary>
    public ulong Value { get; init; }

    /// <summary>Bytes added to the address, to make it a bad one.</summary>
    public int Skew { get; init; }

    /// <summary>Bytes added to the length.</summary>
    public int Tail { get; init; }

    /// <summary>The range of memory it is about.</summary>
    public AddressRange Range => new(Arena.At(Page) + unchecked((ulong)Skew), unchecked(((ulong)Pages * PageSize.Small) + (ulong)Tail));

    /// <inheritdoc/>
    public override string ToString() => StepText.Write(this);
}
