namespace Faultline.Verification.Kernel;

/// <summary>What a page-table entry is before a step, as far as pagemap tells; part of what coverage counts.</summary>
internal enum EntryState
{
    None = 0,
    Own,
    Borrowed,
    OfFile,
    Protected,
    ProtectedOfFile,
    Swapped,
    ProtectedSwapped,
    ProtectMarker,
    Poison,
    Guard,
}
