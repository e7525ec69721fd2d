namespace Faultline.Verification.Kernel;

/// <summary>What a kind of memory is.</summary>
internal static class MapKinds
{
    public const int Count = (int)MapKind.HugetlbPrivateFile + 1;

    public static bool IsShared(this MapKind kind) =>
        kind is MapKind.SharedAnonymous or MapKind.SharedFile or MapKind.HugetlbShared or MapKind.HugetlbSharedFile;

    public static bool IsFile(this MapKind kind) =>
        kind is MapKind.SharedFile or MapKind.PrivateFile or MapKind.HugetlbSharedFile or MapKind.HugetlbPrivateFile;

    public static bool IsHugetlb(this MapKind kind) => kind >= MapKind.HugetlbShared;
}
