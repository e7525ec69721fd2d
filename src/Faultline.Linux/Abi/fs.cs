using System.Runtime.InteropServices;

namespace Faultline.Linux.Abi;

// linux/fs.h: PAGEMAP_SCAN
internal static class fs_h
{
    public const uint PAGEMAP_SCAN = 0xc0606610;
    public const ulong PM_SCAN_WP_MATCHING = 1;
    public const ulong PM_SCAN_CHECK_WPASYNC = 2;
    public const ulong PAGE_IS_WPALLOWED = 1;
    public const ulong PAGE_IS_WRITTEN = 2;
    public const ulong PAGE_IS_FILE = 4;
    public const ulong PAGE_IS_PRESENT = 8;
    public const ulong PAGE_IS_SWAPPED = 0x10;
    public const ulong PAGE_IS_PFNZERO = 0x20;
    public const ulong PAGE_IS_HUGE = 0x40;
    public const ulong PAGE_IS_SOFT_DIRTY = 0x80;
    public const ulong PAGE_IS_GUARD = 0x100;
}

[StructLayout(LayoutKind.Sequential)]
internal struct pm_scan_arg
{
    public ulong size;
    public ulong flags;
    public ulong start;
    public ulong end;
    public ulong walk_end;
    public ulong vec;
    public ulong vec_len;
    public ulong max_pages;
    public ulong category_inverted;
    public ulong category_mask;
    public ulong category_anyof_mask;
    public ulong return_mask;
}

[StructLayout(LayoutKind.Sequential)]
internal struct page_region
{
    public ulong start;
    public ulong end;
    public ulong categories;
}
