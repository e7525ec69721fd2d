using System;
using System.Collections.Generic;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>
/// What headers older than Linux 6.18 may lack: the numbers as written down from the running kernel (the reference text's sections 1.4,
/// 1.5 and 8.6), keyed by C expression. They are typed a second time here on purpose.
/// </summary>
internal static class ReferenceNumbers
{
    internal static Dictionary<string, long> All { get; } = new(StringComparer.Ordinal)
    {
        ["UFFDIO_MOVE"] = 0xc028aa05,
        ["UFFDIO_POISON"] = 0xc020aa08,
        ["UFFD_FEATURE_WP_UNPOPULATED"] = 8192,
        ["UFFD_FEATURE_POISON"] = 16384,
        ["UFFD_FEATURE_WP_ASYNC"] = 32768,
        ["UFFD_FEATURE_MOVE"] = 65536,
        ["UFFDIO_CONTINUE_MODE_WP"] = 2,
        ["UFFDIO_POISON_MODE_DONTWAKE"] = 1,
        ["UFFDIO_MOVE_MODE_DONTWAKE"] = 1,
        ["UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES"] = 2,
        ["(1ull<<_UFFDIO_MOVE)"] = 0x20,
        ["(1ull<<_UFFDIO_POISON)"] = 0x100,
        ["MADV_GUARD_INSTALL"] = 102,
        ["MADV_GUARD_REMOVE"] = 103,
        ["SYS_mseal"] = 462,
        ["PAGEMAP_SCAN"] = 0xc0606610,
        ["PM_SCAN_WP_MATCHING"] = 1,
        ["PM_SCAN_CHECK_WPASYNC"] = 2,
        ["PAGE_IS_WPALLOWED"] = 1,
        ["PAGE_IS_WRITTEN"] = 2,
        ["PAGE_IS_FILE"] = 4,
        ["PAGE_IS_PRESENT"] = 8,
        ["PAGE_IS_SWAPPED"] = 16,
        ["PAGE_IS_PFNZERO"] = 32,
        ["PAGE_IS_HUGE"] = 64,
        ["PAGE_IS_SOFT_DIRTY"] = 128,
        ["PAGE_IS_GUARD"] = 256,

        // arm64: __O_TMPFILE | O_DIRECTORY, in C's octal 020000000 | 040000.
        ["O_TMPFILE"] = (16L << 18) | (4L << 12),

        ["sizeof(struct uffdio_poison)"] = 32,
        ["__builtin_offsetof(struct uffdio_poison, range)"] = 0,
        ["sizeof(((struct uffdio_poison*)0)->range)"] = 16,
        ["__builtin_offsetof(struct uffdio_poison, mode)"] = 16,
        ["sizeof(((struct uffdio_poison*)0)->mode)"] = 8,
        ["__builtin_offsetof(struct uffdio_poison, updated)"] = 24,
        ["sizeof(((struct uffdio_poison*)0)->updated)"] = 8,
    };

    static ReferenceNumbers()
    {
        AddWords("uffdio_move", "dst", "src", "len", "mode", "move");
        AddWords(
            "pm_scan_arg",
            "size",
            "flags",
            "start",
            "end",
            "walk_end",
            "vec",
            "vec_len",
            "max_pages",
            "category_inverted",
            "category_mask",
            "category_anyof_mask",
            "return_mask");
        AddWords("page_region", "start", "end", "categories");
    }

    // A structure of 64-bit members and nothing else.
    private static void AddWords(string name, params string[] members)
    {
        All[$"sizeof(struct {name})"] = members.Length * 8;
        for (int i = 0; i < members.Length; i++)
        {
            All[$"__builtin_offsetof(struct {name}, {members[i]})"] = i * 8;
            All[$"sizeof(((struct {name}*)0)->{members[i]})"] = 8;
        }
    }
}
