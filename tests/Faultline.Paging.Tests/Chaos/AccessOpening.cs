namespace Faultline.Paging.Tests;

/// <summary>Opening accessors to address spaces that someone may be killing.</summary>
internal static class AccessOpening
{
    /// <summary>The accessor, or null if the address space is gone.</summary>
    public static bool IsOkOrGone(this SystemResult<IMemoryAccess> opened, out IMemoryAccess? access)
    {
        access = opened.IsOk ? opened.Value : null;
        return opened.IsOk;
    }
}
