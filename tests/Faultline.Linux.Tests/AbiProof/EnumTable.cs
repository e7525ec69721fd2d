using System;
using System.Collections.Generic;
using System.Globalization;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>The public enumerations whose values are the kernel's, member by member.</summary>
internal static class EnumTable
{
    private const string Text = """
        Advice Normal=MADV_NORMAL Random=MADV_RANDOM Sequential=MADV_SEQUENTIAL WillNeed=MADV_WILLNEED DontNeed=MADV_DONTNEED Free=MADV_FREE
        Advice Remove=MADV_REMOVE DontFork=MADV_DONTFORK DoFork=MADV_DOFORK HugePage=MADV_HUGEPAGE NoHugePage=MADV_NOHUGEPAGE
        Advice WipeOnFork=MADV_WIPEONFORK KeepOnFork=MADV_KEEPONFORK Cold=MADV_COLD PageOut=MADV_PAGEOUT PopulateRead=MADV_POPULATE_READ
        Advice PopulateWrite=MADV_POPULATE_WRITE DontNeedLocked=MADV_DONTNEED_LOCKED Collapse=MADV_COLLAPSE
        Advice GuardInstall=MADV_GUARD_INSTALL GuardRemove=MADV_GUARD_REMOVE
        MapOptions None=0 Shared=MAP_SHARED Private=MAP_PRIVATE Fixed=MAP_FIXED Anonymous=MAP_ANONYMOUS NoReserve=MAP_NORESERVE Locked=MAP_LOCKED
        MapOptions Populate=MAP_POPULATE HugeTlb=MAP_HUGETLB FixedNoReplace=MAP_FIXED_NOREPLACE
        Protections None=PROT_NONE Read=PROT_READ Write=PROT_WRITE Execute=PROT_EXEC ReadWrite=(PROT_READ|PROT_WRITE)
        RemapOptions None=0 MayMove=MREMAP_MAYMOVE Fixed=MREMAP_FIXED DontUnmap=MREMAP_DONTUNMAP
        FileSeals None=0 Seal=F_SEAL_SEAL Shrink=F_SEAL_SHRINK Grow=F_SEAL_GROW Write=F_SEAL_WRITE FutureWrite=F_SEAL_FUTURE_WRITE
        RegisterModes None=0 Missing=UFFDIO_REGISTER_MODE_MISSING WriteProtect=UFFDIO_REGISTER_MODE_WP Minor=UFFDIO_REGISTER_MODE_MINOR
        FillModes None=0 DontWake=UFFDIO_COPY_MODE_DONTWAKE DontWake=UFFDIO_ZEROPAGE_MODE_DONTWAKE DontWake=UFFDIO_CONTINUE_MODE_DONTWAKE
        FillModes DontWake=UFFDIO_POISON_MODE_DONTWAKE WriteProtect=UFFDIO_COPY_MODE_WP WriteProtect=UFFDIO_CONTINUE_MODE_WP
        WriteProtectModes None=0 Protect=UFFDIO_WRITEPROTECT_MODE_WP DontWake=UFFDIO_WRITEPROTECT_MODE_DONTWAKE
        MoveModes None=0 DontWake=UFFDIO_MOVE_MODE_DONTWAKE AllowSourceHoles=UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES
        PageFaultFlags None=0 Write=UFFD_PAGEFAULT_FLAG_WRITE WriteProtect=UFFD_PAGEFAULT_FLAG_WP Minor=UFFD_PAGEFAULT_FLAG_MINOR
        UserfaultfdEvent None=0 PageFault=UFFD_EVENT_PAGEFAULT Fork=UFFD_EVENT_FORK Remap=UFFD_EVENT_REMAP Remove=UFFD_EVENT_REMOVE Unmap=UFFD_EVENT_UNMAP
        UserfaultfdOptions None=0 UserModeOnly=UFFD_USER_MODE_ONLY NonBlocking=O_NONBLOCK CloseOnExec=O_CLOEXEC
        UserfaultfdIoctls None=0 Register=(1ull<<_UFFDIO_REGISTER) Unregister=(1ull<<_UFFDIO_UNREGISTER) Wake=(1ull<<_UFFDIO_WAKE) Copy=(1ull<<_UFFDIO_COPY)
        UserfaultfdIoctls Zeropage=(1ull<<_UFFDIO_ZEROPAGE) Move=(1ull<<_UFFDIO_MOVE) WriteProtect=(1ull<<_UFFDIO_WRITEPROTECT)
        UserfaultfdIoctls Continue=(1ull<<_UFFDIO_CONTINUE) Poison=(1ull<<_UFFDIO_POISON) Api=(1ull<<_UFFDIO_API)
        UserfaultfdFeatures None=0 PageFaultFlagWriteProtect=UFFD_FEATURE_PAGEFAULT_FLAG_WP EventFork=UFFD_FEATURE_EVENT_FORK
        UserfaultfdFeatures EventRemap=UFFD_FEATURE_EVENT_REMAP EventRemove=UFFD_FEATURE_EVENT_REMOVE MissingHugetlbfs=UFFD_FEATURE_MISSING_HUGETLBFS
        UserfaultfdFeatures MissingShmem=UFFD_FEATURE_MISSING_SHMEM EventUnmap=UFFD_FEATURE_EVENT_UNMAP SigBus=UFFD_FEATURE_SIGBUS
        UserfaultfdFeatures ThreadId=UFFD_FEATURE_THREAD_ID MinorHugetlbfs=UFFD_FEATURE_MINOR_HUGETLBFS MinorShmem=UFFD_FEATURE_MINOR_SHMEM
        UserfaultfdFeatures ExactAddress=UFFD_FEATURE_EXACT_ADDRESS WriteProtectHugetlbfsShmem=UFFD_FEATURE_WP_HUGETLBFS_SHMEM
        UserfaultfdFeatures WriteProtectUnpopulated=UFFD_FEATURE_WP_UNPOPULATED Poison=UFFD_FEATURE_POISON WriteProtectAsync=UFFD_FEATURE_WP_ASYNC
        UserfaultfdFeatures Move=UFFD_FEATURE_MOVE
        PageCategories None=0 WriteProtectAllowed=PAGE_IS_WPALLOWED Written=PAGE_IS_WRITTEN File=PAGE_IS_FILE Present=PAGE_IS_PRESENT
        PageCategories Swapped=PAGE_IS_SWAPPED ZeroPage=PAGE_IS_PFNZERO Huge=PAGE_IS_HUGE SoftDirty=PAGE_IS_SOFT_DIRTY Guard=PAGE_IS_GUARD
        PagemapScanFlags None=0 WriteProtectMatching=PM_SCAN_WP_MATCHING CheckWriteProtectAsync=PM_SCAN_CHECK_WPASYNC
        """;

    private static readonly Type[] Enums =
    [
        typeof(Advice), typeof(MapOptions), typeof(Protections), typeof(RemapOptions), typeof(FileSeals), typeof(RegisterModes), typeof(FillModes),
        typeof(WriteProtectModes), typeof(MoveModes), typeof(PageFaultFlags), typeof(UserfaultfdEvent), typeof(UserfaultfdOptions),
        typeof(UserfaultfdIoctls), typeof(UserfaultfdFeatures), typeof(PageCategories), typeof(PagemapScanFlags),
    ];

    /// <summary>A row for every member. A member that the table forgot has the expression of an undefined name.</summary>
    internal static IEnumerable<AbiRow> Rows()
    {
        List<(string Type, string Member, string Expression)> table = Parse();
        foreach (Type type in Enums)
        {
            foreach (string member in Enum.GetNames(type))
            {
                List<(string Type, string Member, string Expression)> entries = table.FindAll(entry => entry.Type == type.Name && entry.Member == member);
                long value = AbiRow.BitsOf(Convert.ChangeType(Enum.Parse(type, member), Enum.GetUnderlyingType(type), CultureInfo.InvariantCulture));
                string name = $"{type.Name}.{member}";
                if (entries.Count == 0)
                {
                    yield return new(name, $"NO_ROW_FOR_{type.Name}_{member}", value);
                }

                foreach ((_, _, string expression) in entries)
                {
                    yield return new(name, expression, value);
                }
            }
        }

        foreach (Errno errno in Enum.GetValues<Errno>())
        {
            yield return new($"Errno.{errno}", errno == Errno.None ? "0" : errno.ToString(), (long)errno);
        }
    }

    private static List<(string Type, string Member, string Expression)> Parse()
    {
        List<(string Type, string Member, string Expression)> table = [];
        foreach (string line in Text.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (string word in words[1..])
            {
                string[] halves = word.Split('=', 2);
                table.Add((words[0], halves[0], halves[1]));
            }
        }

        return table;
    }
}
