namespace Faultline;

/// <summary>One message of a userfaultfd. Which members mean something depends on <see cref="Event"/>.</summary>
public readonly record struct UserfaultfdMessage
{
    /// <summary>What is told.</summary>
    public UserfaultfdEvent Event { get; init; }

    /// <summary>Page fault: its flags.</summary>
    public PageFaultFlags Flags { get; init; }

    /// <summary>Page fault: the thread, with <see cref="UserfaultfdFeatures.ThreadId"/>; else zero.</summary>
    public uint ThreadId { get; init; }

    /// <summary>
    /// Page fault: the page's address (huge-page aligned for hugetlb), or the exact one with <see cref="UserfaultfdFeatures.ExactAddress"/>.
    /// Remap: where the range was.
    /// </summary>
    public VirtualAddress Address { get; init; }

    /// <summary>Remove and unmap: the range. Remap: where the range is now, with its old length.</summary>
    public AddressRange Range { get; init; }

    /// <summary>Fork: the context of the child, initialised with the same features. The reader owns it.</summary>
    public IUserfaultfd? Forked { get; init; }

    /// <summary>Page fault: the reason.</summary>
    public PageFaultKind Kind =>
        (Flags & PageFaultFlags.WriteProtect) != 0 ? PageFaultKind.WriteProtect
        : (Flags & PageFaultFlags.Minor) != 0 ? PageFaultKind.Minor
        : PageFaultKind.Missing;

    /// <summary>Page fault: whether the access was a write.</summary>
    public bool IsWrite => (Flags & PageFaultFlags.Write) != 0;
}
