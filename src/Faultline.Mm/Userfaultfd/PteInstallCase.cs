namespace Faultline.Mm;

/// <summary>What the decision how to install an entry is made from. Nothing else may matter.</summary>
/// <param name="Vma">The flags of the mapping.</param>
/// <param name="PageRights">The flags of an ordinary entry of the mapping.</param>
/// <param name="IsInCache">Whether the page belongs to a file already: cases 3, 4, 5. Cases 1 and 2 are new private pages.</param>
/// <param name="IsNewlyAllocated">COPY and its kin, not CONTINUE.</param>
/// <param name="WriteProtect">Whether the caller asked for write-protection.</param>
internal readonly record struct PteInstallCase(
    VmaFlags Vma, ulong PageRights, bool IsInCache, bool IsNewlyAllocated, bool WriteProtect);
