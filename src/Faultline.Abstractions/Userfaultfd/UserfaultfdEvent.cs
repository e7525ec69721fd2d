namespace Faultline;

/// <summary>What a message tells, with Linux' <c>UFFD_EVENT_*</c> values.</summary>
public enum UserfaultfdEvent : byte
{
    /// <summary>No message.</summary>
    None = 0,

    /// <summary>A thread waits on a page.</summary>
    PageFault = 0x12,

    /// <summary>The address space was copied.</summary>
    Fork = 0x13,

    /// <summary>A range was moved.</summary>
    Remap = 0x14,

    /// <summary>The pages of a range are about to be dropped.</summary>
    Remove = 0x15,

    /// <summary>A range was unmapped.</summary>
    Unmap = 0x16,
}
