using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using Faultline.Mm;

namespace Faultline.Verification.Review;

/// <summary>The five cases of the install step, asked of an engine cell by cell; nothing here knows what should come out.</summary>
internal static class InstallTable
{
    /// <summary>
    /// How often the kernel is asked at most, until it shows what the engine shows. It may move a page to another frame at any time, to make room for huge
    /// pages (mm/compaction.c): the mark of the entry then is on the page, and the next access takes a fault. A wrong engine is wrong each time.
    /// </summary>
    internal const int Attempts = 20;

    private const ulong Length = 2 * PageSize.Small;

    private static readonly string[] Operations =
    [
        "COPY, private anonymous", "COPY, private file", "CONTINUE, private file", "CONTINUE, shared file", "COPY, shared file",
    ];

    /// <summary>Asks the managed engine by both rules, and the kernel if there is one.</summary>
    public static IReadOnlyList<InstallRow> Ask(IMemoryEngine? kernel)
    {
        using ManagedEngine old = ReviewEngine.Create(InstallRuleVersion.Review2021, steps: null);
        using ManagedEngine now = ReviewEngine.Create(InstallRuleVersion.Linux618, steps: null);
        var rows = new List<InstallRow>();
        for (int which = 1; which <= Operations.Length; which++)
        {
            foreach ((bool writable, bool protect) in ((bool, bool)[])[(true, false), (true, true), (false, false), (false, true)])
            {
                List<ReviewFact> then = Ask(old, which, writable, protect);
                List<ReviewFact> today = Ask(now, which, writable, protect);
                List<ReviewFact>? real = kernel is null ? null : AskUntil(today, kernel, which, writable, protect);
                rows.Add(new InstallRow(
                    which,
                    Operations[which - 1],
                    writable,
                    protect,
                    [.. today.Select((fact, i) => new InstallCell(fact.Name, then[i].Value, fact.Value, real?[i].Value))]));
            }
        }

        return rows;
    }

    private static List<ReviewFact> AskUntil(List<ReviewFact> expected, IMemoryEngine kernel, int which, bool writable, bool protect)
    {
        List<ReviewFact> real = Ask(kernel, which, writable, protect);
        for (int asked = 1; asked < Attempts && !real.SequenceEqual(expected); asked++)
        {
            _ = SpinWait.SpinUntil(static () => false, asked);
            real = Ask(kernel, which, writable, protect);
        }

        return real;
    }

    private static List<ReviewFact> Ask(IMemoryEngine engine, int which, bool writable, bool protect)
    {
        using IAddressSpace space = engine.CreateAddressSpace().OrThrow("creating an address space");
        using IMemoryAccess access = space.OpenAccess().OrThrow("opening an accessor");
        var options = new MemoryFileOptions { Name = "cases", Size = Length };
        using IMemoryFile file = engine.CreateMemoryFile(in options).OrThrow("memfd_create");
        AddressRange alias = Map(space, MapRequest.SharedFile(file, Length));
        MapRequest request = which switch
        {
            1 => MapRequest.PrivateAnonymous(Length),
            2 or 3 => MapRequest.PrivateFile(file, Length),
            _ => MapRequest.SharedFile(file, Length),
        };
        AddressRange area = Map(space, request with { Protection = writable ? Protections.ReadWrite : Protections.Read });
        using IUserfaultfd context = Register(space, area, which);
        bool isContinue = which is 3 or 4;
        if (isContinue)
        {
            // A load makes the cached page, so that its own dirty flag is clear.
            _ = access.Load(alias.Start, out _);
        }

        ResidentCounters before = space.Inspector.GetCounters().OrThrow("reading the resident set");
        ulong blocks = file.GetStatus().OrThrow("fstat").Blocks;
        FillModes modes = protect ? FillModes.WriteProtect : FillModes.None;
        FillResult filled = isContinue
            ? context.Continue(area.Slice(0, PageSize.Small), modes)
            : context.Copy(area.Start, new byte[PageSize.Small], modes);
        return Look(space, access, file, area, alias, which, filled, before, blocks);
    }

    private static List<ReviewFact> Look(
        IAddressSpace space,
        IMemoryAccess access,
        IMemoryFile file,
        AddressRange area,
        AddressRange alias,
        int which,
        FillResult filled,
        ResidentCounters before,
        ulong blocks)
    {
        Span<PagemapEntry> entries = stackalloc PagemapEntry[1];
        _ = space.Inspector.ReadPagemap(area.Start, entries).OrThrow("reading the pagemap");
        PagemapEntry entry = entries[0];
        ResidentCounters after = space.Inspector.GetCounters().OrThrow("reading the resident set");
        bool isDirty = DirtyBytes(space, area) > 0;
        bool isCached = which >= 3;
        string own = "-";
        if (isCached)
        {
            _ = access.Load(alias.Start, out _);
            own = YesOrNo(DirtyBytes(space, alias) > 0);
        }

        ulong added = file.GetStatus().OrThrow("fstat").Blocks - blocks;
        return
        [
            new("answer", filled.IsOk ? "0" : filled.Errno.ToString()),
            new("written at once", WrittenAtOnce(access, area)),
            new("dirty", YesOrNo(isDirty)),
            new("protected", YesOrNo(entry.IsUserfaultfdWriteProtected)),
            new("rmap", entry.IsFile ? "file" : "anonymous"),
            new("counted as", after.Anonymous > before.Anonymous ? "anonymous" : after.Shmem > before.Shmem ? "shmem" : after.File > before.File ? "file" : "nothing"),
            new("page dirty", own),
            new("blocks", string.Create(CultureInfo.InvariantCulture, $"+{added}")),
        ];
    }

    /// <summary>Whether the first store needs no fault; a store that ends in a signal says why it does not.</summary>
    private static string WrittenAtOnce(IMemoryAccess access, AddressRange area)
    {
        FaultCounts counts = access.FaultCounts;
        AccessResult store = access.Store(area.Start, 1);
        FaultCounts later = access.FaultCounts;
        return store.Fault switch
        {
            AccessFault.None => YesOrNo(later == counts),
            AccessFault.BusError => "no (message)",
            _ => "no (mapping)",
        };
    }

    private static IUserfaultfd Register(IAddressSpace space, AddressRange area, int which)
    {
        UserfaultfdFeatures features = UserfaultfdFeatures.SigBus | UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem
            | UserfaultfdFeatures.PageFaultFlagWriteProtect | UserfaultfdFeatures.WriteProtectHugetlbfsShmem;
        IUserfaultfd context = UserfaultfdHandshake.Open(space, features).OrThrow("userfaultfd");
        RegisterModes modes = RegisterModes.Missing | RegisterModes.WriteProtect;
        RegisterResult registered = context.Register(area, which == 1 ? modes : modes | RegisterModes.Minor);
        return registered.IsOk ? context : throw new MemoryEngineException("UFFDIO_REGISTER", area, registered.Errno);
    }

    private static ulong DirtyBytes(IAddressSpace space, AddressRange range)
    {
        ulong dirty = 0;
        foreach (VmaInfo info in space.Inspector.GetMappings(range).OrThrow("reading smaps", range))
        {
            dirty += info.PrivateDirty + info.SharedDirty;
        }

        return dirty;
    }

    private static AddressRange Map(IAddressSpace space, in MapRequest request) => new(space.Map(in request).OrThrow("mmap"), request.Length);

    private static string YesOrNo(bool value) => value ? "yes" : "no";
}
