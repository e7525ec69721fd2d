namespace Faultline.Verification.Kernel;

/// <summary>The kinds of memory that programs map.</summary>
internal enum MapKind
{
    Anonymous = 0,
    SharedAnonymous,
    SharedFile,
    PrivateFile,
}
