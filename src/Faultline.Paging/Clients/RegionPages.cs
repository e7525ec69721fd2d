namespace Faultline.Paging;

/// <summary>What the pager remembers of the pages of one region as it was added. Parts of it may have been moved or unmapped since; see
/// <see cref="Region"/>.</summary>
internal sealed class RegionPages
{
    public RegionPages(PagedImage image, LoadTable table, int tableBase, int count)
    {
        Image = image;
        Table = table;
        TableBase = tableBase;
        Installed = new PageBits(count);
        Removed = new PageBits(count);
        Poisoned = new PageBits(count);
        Count = count;
        Guesses = RegionGuesses.For(table);
        LoadEnd = -1;
        InstallEnd = -1;
    }

    private RegionPages(RegionPages source, LoadTable table, PageBits installed, PageBits removed, PageBits poisoned)
    {
        Image = source.Image;
        Table = table;
        TableBase = source.TableBase;
        Installed = installed;
        Removed = removed;
        Poisoned = poisoned;
        Count = source.Count;
        Guesses = RegionGuesses.For(table);
        LoadEnd = -1;
        InstallEnd = -1;
    }

    /// <summary>The image shown.</summary>
    public PagedImage Image { get; }

    /// <summary>The states and loads of the pages: the image's, or a table of the region's own if it receives copies.</summary>
    public LoadTable Table { get; }

    /// <summary>The page of <see cref="Table"/> that page zero of the region shows.</summary>
    public int TableBase { get; }

    public int Count { get; }

    public int PageBytes => Table.PageBytes;

    /// <summary>Pages that have been installed. A guess where the client can drop pages without telling: used to choose neighbours, never
    /// to leave a fault alone.</summary>
    public PageBits Installed { get; }

    /// <summary>Pages whose contents the client dropped (REMOVE): they read as zero from then on, except in shared mappings that still find
    /// their page in the cache.</summary>
    public PageBits Removed { get; }

    /// <summary>Pages that may hold a poison marker.</summary>
    public PageBits Poisoned { get; }

    /// <summary>What is guessed out of the touches; null where nothing is.</summary>
    public RegionGuesses? Guesses { get; }

    /// <summary>Where the last load for this region ended, as a page of <see cref="Table"/>: a fault there is one in sequence. Unguarded: a
    /// guess.</summary>
    public int LoadEnd { get; set; }

    /// <summary>The pages of the last load for this region. Unguarded: a guess.</summary>
    public int LoadPages { get; set; }

    /// <summary>Where the last run of pages installed for one fault ended, as a page of the region: a fault there is one in sequence.
    /// Unguarded: a guess.</summary>
    public int InstallEnd { get; set; }

    /// <summary>The pages of the last run installed for one fault. Unguarded: a guess.</summary>
    public int InstallPages { get; set; }

    /// <summary>The pages that leases write to.</summary>
    public WriteLeases Leases { get; } = new();

    /// <summary>Who is told of writes, or null. Guard: the client's lock, held for writing to change it.</summary>
    public WriteWatch? Watch { get; set; }

    /// <summary>Who watches, from the first preparation to the end of the clearing away; null for nobody. Guard: as <see cref="Watch"/>.</summary>
    public ServedWatch? Watcher { get; set; }

    /// <summary>Whether pages are installed write-protected, so that no write to them is missed. Guard: as <see cref="Watch"/>.</summary>
    public bool InstallsProtected { get; set; }

    /// <summary>
    /// Whether empty entries may hold a marker of write-protection: ZEROPAGE and POISON answer EEXIST there, and the fault comes back. Set with the
    /// client's lock held for writing; cleared when the markers have been taken away.
    /// </summary>
    public bool HasMarkers { get; set; }

    /// <summary>Whether what is written here goes to the store: pages that are stored are installed protected.</summary>
    public bool WritesBack { get; init; }

    public int TablePage(int page) => TableBase + page;

    /// <summary>What a forked child starts with: the same pages, and loads of its own where it receives copies.</summary>
    public RegionPages CloneForFork() =>
        new(this, Table.ForNewOwner(), Installed.Clone(), Removed.Clone(), Poisoned.Clone())
        {
            HasMarkers = HasMarkers,
            WritesBack = WritesBack,
            InstallsProtected = WritesBack,
        };

    /// <summary>What stays behind when the pages are moved away (mremap): nothing, so it reads as zero.</summary>
    public RegionPages LeaveBehind()
    {
        PageBits removed = new(Count);
        removed.Set(0, Count);
        return new(this, Table.ForNewOwner(), new PageBits(Count), removed, new PageBits(Count))
        {
            HasMarkers = WritesBack,
            WritesBack = WritesBack,
            InstallsProtected = WritesBack,
        };
    }
}
