namespace Faultline.Paging;

/// <summary>The calls that install pages. ZEROPAGE counts twice, because in a shared mapping its EEXIST means something else.</summary>
internal enum InstallVerb
{
    Continue = 0,
    Copy,
    ZeropagePrivate,
    ZeropageShared,
    Poison,
}
