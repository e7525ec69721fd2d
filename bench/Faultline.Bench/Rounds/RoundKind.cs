namespace Faultline.Bench;

/// <summary>What happens at each fault of a round.</summary>
internal enum RoundKind
{
    /// <summary>Missing faults on anonymous memory, resolved by UFFDIO_COPY.</summary>
    Copy = 0,

    /// <summary>Minor faults on a memfd whose pages are in the page cache, resolved by UFFDIO_CONTINUE.</summary>
    Continue = 1,

    /// <summary>The same memfd mapped without a userfaultfd: the kernel's own faults, with its fault-around.</summary>
    FaultAround = 2,
}
