using System.Runtime.InteropServices;

namespace Faultline.Mm;

/// <summary>A page of zeroes.</summary>
internal readonly unsafe struct ZeroPageSource : IPageSource
{
    public bool TryFill(byte* page)
    {
        NativeMemory.Clear(page, (nuint)PageSize.Small);
        return true;
    }
}
