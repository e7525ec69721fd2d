namespace Faultline.Mm;

/// <summary>What <see cref="ChangeProtection"/> does to entries (Linux: <c>MM_CP_*</c>).</summary>
internal enum ProtectionChange
{
    /// <summary>The rights of the mapping have changed: mprotect, and un-registering of write-protection leaves this alone.</summary>
    Rights,

    /// <summary>Write-protect by userfaultfd.</summary>
    WriteProtect,

    /// <summary>Undo write-protection by userfaultfd.</summary>
    WriteUnprotect,
}
