using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>What one engine shows after a step.</summary>
internal sealed class SideObservation
{
    private HugeView? _hugeArea;

    /// <summary>What pagemap shows of the arena, for each address space.</summary>
    public PagemapEntry[][] Pagemaps { get; } = [new PagemapEntry[Arena.Pages], new PagemapEntry[Arena.Pages]];

    /// <summary>What the engine shows of the area for huge pages; made when a program uses it.</summary>
    public HugeView HugeArea => _hugeArea ??= new HugeView();

    /// <summary>What of the counts of clean and dirty pages is not compared.</summary>
    public Unsettled Unsettled { get; set; }

    public ResidentCounters[] Counters { get; } = new ResidentCounters[Arena.Spaces];

    public IReadOnlyList<VmaInfo>[] Mappings { get; } = [[], []];

    public MemoryFileStatus[] Files { get; } = new MemoryFileStatus[Arena.Files];

    /// <summary>The bytes of each file, as far as <see cref="FileLengths"/> says.</summary>
    public byte[][] FileBytes { get; } = MakeFileBytes();

    /// <summary>How many bytes of each file could be read.</summary>
    public int[] FileLengths { get; } = new int[Arena.Files];

    /// <summary>Where pages are read into, a few at a time.</summary>
    public byte[] Buffer { get; } = new byte[16 * (int)PageSize.Small];

    /// <summary>For each page of each address space a number for its bytes, or for why it cannot be read.</summary>
    public ulong[][] Contents { get; } = [new ulong[Arena.Pages], new ulong[Arena.Pages]];

    /// <summary>Forgets everything, for the next program.</summary>
    public SideObservation Cleared()
    {
        for (int space = 0; space < Arena.Spaces; space++)
        {
            Array.Clear(Pagemaps[space]);
            Array.Clear(Contents[space]);
            Mappings[space] = [];
        }

        Unsettled = Unsettled.None;
        Array.Clear(Counters);
        Array.Clear(Files);
        Array.Clear(FileLengths);
        return this;
    }

    private static byte[][] MakeFileBytes()
    {
        byte[][] all = new byte[Arena.Files][];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = new byte[(Arena.FilePages + 1) * (int)PageSize.Small];
        }

        return all;
    }
}
