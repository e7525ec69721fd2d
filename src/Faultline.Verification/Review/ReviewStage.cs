using System;
using System.Collections.Generic;
using System.Globalization;

namespace Faultline.Verification.Review;

/// <summary>
/// The world a history plays in, on either engine: a file of two pages, an area that maps it (or anonymous memory) and is registered with a userfaultfd, and an
/// unregistered shared mapping of the same file, the alias. Faults that nobody resolves are SIGBUS, so that no thread ever sleeps.
/// </summary>
internal sealed class ReviewStage : IDisposable
{
    /// <summary>What COPY brings, and what stores write.</summary>
    public const ulong CopiedWord = 0x1111_1111_1111_1111;

    private const ulong StoredWord = 0x2222_2222_2222_2222;
    private const ulong Length = 2 * PageSize.Small;

    private readonly ReviewArea _area;
    private readonly IAddressSpace _space;
    private readonly IMemoryAccess _access;
    private readonly IMemoryFile? _file;
    private readonly IUserfaultfd _context;
    private readonly AddressRange _range;
    private readonly AddressRange _alias;
    private readonly ResidentCounters _before;
    private readonly byte[] _page = new byte[PageSize.Small];
    private string _answer = string.Empty;
    private string _faults = string.Empty;

    public ReviewStage(IMemoryEngine engine, ReviewArea area)
    {
        _area = area;
        _space = engine.CreateAddressSpace().OrThrow("creating an address space");
        _access = _space.OpenAccess().OrThrow("opening an accessor");
        _page.AsSpan().Fill(unchecked((byte)CopiedWord));
        var request = MapRequest.PrivateAnonymous(Length);
        if (area.HasFile)
        {
            var options = new MemoryFileOptions { Name = "review", Size = Length, LimitBytes = area.IsLimited ? PageSize.Small : 0 };
            _file = engine.CreateMemoryFile(in options).OrThrow("memfd_create");
            request = area.Memory == ReviewMemory.SharedFile ? MapRequest.SharedFile(_file, Length) : MapRequest.PrivateFile(_file, Length);
            _alias = Map(MapRequest.SharedFile(_file, Length));
        }

        _range = Map(request with { Protection = area.IsWritable ? Protections.ReadWrite : Protections.Read });
        UserfaultfdFeatures features = UserfaultfdFeatures.SigBus | UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem;
        _context = UserfaultfdHandshake.Open(_space, features).OrThrow("userfaultfd");
        RegisterResult registered = _context.Register(_range, area.HasFile ? RegisterModes.Missing | RegisterModes.Minor : RegisterModes.Missing);
        if (!registered.IsOk)
        {
            throw new MemoryEngineException("UFFDIO_REGISTER", _range, registered.Errno);
        }

        // Once before it counts: the accessor's own memory is then there.
        _ = _access.FaultCounts;
        _before = Counters();
    }

    /// <summary>The name of the fact that the alias shows.</summary>
    public const string AliasFact = "smaps of the alias";

    /// <summary>The calls that make this world, as a person would write them.</summary>
    public static IReadOnlyList<string> Opening(ReviewArea area, bool withAlias)
    {
        string rights = area.IsWritable ? "readable and writable" : "read-only";
        if (!area.HasFile)
        {
            return [$"area  = mmap(2 pages, private, anonymous, {rights})", "register(area, missing)"];
        }

        string sharing = area.Memory == ReviewMemory.SharedFile ? "shared" : "private";
        return
        [
            area.IsLimited ? "file  = tmpfs file of 2 pages, room for 1" : "file  = memfd_create(2 pages)",
            .. withAlias ? ["alias = mmap(file, shared, readable and writable)"] : Array.Empty<string>(),
            $"area  = mmap(file, {sharing}, {rights})",
            "register(area, missing and minor)",
        ];
    }

    /// <summary>Whether a step makes sense in an area.</summary>
    public static bool IsPossible(ReviewArea area, ReviewStep step) =>
        area.HasFile || step is ReviewStep.Copy or ReviewStep.Load or ReviewStep.Store;

    /// <summary>Whether a step needs the alias.</summary>
    public static bool UsesAlias(ReviewStep step) =>
        step is ReviewStep.LoadAlias or ReviewStep.StoreAlias or ReviewStep.PageOutAlias or ReviewStep.CopyFromAlias;

    /// <summary>A step as a person would write it.</summary>
    public static string Write(ReviewStep step) => step switch
    {
        ReviewStep.Allocate => "fallocate(file, page 0)",
        ReviewStep.LoadAlias => "load alias[0]",
        ReviewStep.StoreAlias => "store alias[0]",
        ReviewStep.PageOutAlias => "madvise(alias, page 0, PAGEOUT)",
        ReviewStep.Copy => "UFFDIO_COPY(area, page 0, from a buffer)",
        ReviewStep.CopyFromAlias => "UFFDIO_COPY(area, page 0, from alias page 1)",
        ReviewStep.Continue => "UFFDIO_CONTINUE(area, page 0)",
        ReviewStep.Load => "load area[0]",
        _ => "store area[0]",
    };

    /// <summary>Makes a call.</summary>
    public void Run(ReviewStep step)
    {
        _faults = "none";
        AddressRange target = _range.Slice(0, PageSize.Small);
        _answer = step switch
        {
            ReviewStep.Allocate => Say(_file!.Allocate(0, PageSize.Small).Errno),
            ReviewStep.LoadAlias => Load(_alias.Start),
            ReviewStep.StoreAlias => Store(_alias.Start),
            ReviewStep.PageOutAlias => Say(_space.Advise(_alias.Slice(0, PageSize.Small), Advice.PageOut).Errno),
            ReviewStep.Copy => Say(_context.Copy(target.Start, _page)),
            ReviewStep.CopyFromAlias => Say(_context.Copy(target, _alias.Start + PageSize.Small)),
            ReviewStep.Continue => Say(_context.Continue(target)),
            ReviewStep.Load => Load(target.Start),
            _ => Store(target.Start),
        };
    }

    /// <summary>What can be seen now, in a fixed order.</summary>
    public IReadOnlyList<ReviewFact> Observe()
    {
        PagemapEntry entry = EntryOf(_range);
        ResidentCounters now = Counters();
        var facts = new List<ReviewFact>
        {
            new("answer", _answer),
            new("page faults taken", _faults),
            new("entry", Describe(entry)),
            new("smaps of the area", Smaps(_range)),
            new("resident set", $"anonymous {Pages(now.Anonymous - _before.Anonymous)}, file {Pages(now.File - _before.File)}, shmem {Pages(now.Shmem - _before.Shmem)}"),
        };
        if (_file is not null)
        {
            facts.Add(new(AliasFact, Smaps(_alias)));
            facts.Add(new("blocks of the file", _file.GetStatus().OrThrow("fstat").Blocks.ToString(CultureInfo.InvariantCulture)));
        }

        if (entry.IsPresent)
        {
            AccessResult load = _access.Load(_range.Start, out ulong word);
            facts.Add(new("first word", load.IsOk ? Word(word) : load.Fault.ToString()));
        }

        return facts;
    }

    public void Dispose()
    {
        _context.Dispose();
        _access.Dispose();
        _file?.Dispose();
        _space.Dispose();
    }

    private static string Say(Errno errno) => errno == Errno.None ? "0" : errno.ToString();

    private static string Say(FillResult result) => result.IsOk ? "0" : result.Errno.ToString();

    private static string Word(ulong word) => string.Create(CultureInfo.InvariantCulture, $"0x{word:x}");

    private static string Describe(PagemapEntry entry)
    {
        if (!entry.IsPresent)
        {
            return entry.IsSwap ? "in swap" : "none";
        }

        string page = entry.IsFile ? "a page of the file" : "an anonymous page";
        return (entry.IsExclusive ? page + ", mapped here only" : page) + (entry.IsUserfaultfdWriteProtected ? ", write-protected" : string.Empty);
    }

    private static string Pages(ulong bytes) => ((long)bytes / (long)PageSize.Small).ToString(CultureInfo.InvariantCulture);

    private AddressRange Map(in MapRequest request) => new(_space.Map(in request).OrThrow("mmap"), Length);

    private ResidentCounters Counters() => _space.Inspector.GetCounters().OrThrow("reading the resident set");

    private PagemapEntry EntryOf(AddressRange range)
    {
        Span<PagemapEntry> entries = stackalloc PagemapEntry[1];
        _ = _space.Inspector.ReadPagemap(range.Start, entries).OrThrow("reading the pagemap");
        return entries[0];
    }

    private string Smaps(AddressRange range)
    {
        ulong clean = 0;
        ulong dirty = 0;
        foreach (VmaInfo info in _space.Inspector.GetMappings(range).OrThrow("reading smaps", range))
        {
            clean += info.PrivateClean + info.SharedClean;
            dirty += info.PrivateDirty + info.SharedDirty;
        }

        return $"{Pages(clean)} clean, {Pages(dirty)} dirty";
    }

    private string Load(VirtualAddress address)
    {
        FaultCounts before = _access.FaultCounts;
        AccessResult result = _access.Load(address, out ulong word);
        Count(before, result);
        return result.IsOk ? Word(word) : result.Fault.ToString();
    }

    private string Store(VirtualAddress address)
    {
        FaultCounts before = _access.FaultCounts;
        AccessResult result = _access.Store(address, StoredWord);
        Count(before, result);
        return result.IsOk ? "done" : result.Fault.ToString();
    }

    /// <summary>Only of accesses that were made: an access that ends in a signal takes faults of its own kind.</summary>
    private void Count(FaultCounts before, AccessResult result)
    {
        FaultCounts after = _access.FaultCounts;
        if (result.IsOk)
        {
            _faults = (after.Minor + after.Major - before.Minor - before.Major).ToString(CultureInfo.InvariantCulture);
        }
    }
}
