using System;

namespace Faultline.Bench;

/// <summary>What <c>faultline bench restore</c> measured; docs/benchmarks.md explains each field.</summary>
public sealed record RestoreReport
{
    /// <summary>Which benchmark this is.</summary>
    public string Benchmark { get; } = "restore";

    /// <summary>The machine.</summary>
    public required MachineFacts Machine { get; init; }

    /// <summary>The rounds.</summary>
    public required int Rounds { get; init; }

    /// <summary>Whether every page read in every round was the image's.</summary>
    public required bool Verified { get; init; }

    /// <summary>The clones of a round.</summary>
    public required int Clones { get; init; }

    /// <summary>The size of the image.</summary>
    public required long ImageBytes { get; init; }

    /// <summary>Through minor faults and UFFDIO_CONTINUE: the main job.</summary>
    public required RestoreRow Main { get; init; }

    /// <summary>In other ways.</summary>
    public required RestoreComparisons Compare { get; init; }

    /// <summary>One process alone reads the whole image eagerly: until it has its first byte.</summary>
    public required double OneEagerReaderMs { get; init; }

    /// <summary>Bytes the store was asked for by a clone that started after another one had read everything.</summary>
    public required long SecondCloneStoreBytes { get; init; }

    /// <summary>The PSS of <see cref="Main"/>.</summary>
    public long TotalPssBytes => Main.TotalPssBytes;

    /// <summary>The minor faults of <see cref="Main"/>.</summary>
    public long MinorFaults => Main.MinorFaults;

    /// <summary>The missing faults of <see cref="Main"/>.</summary>
    public long MissingFaults => Main.MissingFaults;

    /// <summary>The time to the first byte of <see cref="Main"/>.</summary>
    public double TimeToFirstByteMs => Main.TimeToFirstByteMs;

    /// <summary>The memory of all clones, in images.</summary>
    public double PssRatio => Math.Round((double)TotalPssBytes / ImageBytes, 3);

    /// <summary>1.05 images and two per cent.</summary>
    public double PssTarget { get; } = 1.07;

    /// <summary>The memory of all clones when each is served by COPY, in images.</summary>
    public double CopyPssRatio => Math.Round((double)Compare.Copy.TotalPssBytes / ImageBytes, 3);

    /// <summary>The time to the first byte, divided by that of one process alone that reads the image eagerly.</summary>
    public double FirstByteRatio => Math.Round(TimeToFirstByteMs / OneEagerReaderMs, 4);

    /// <summary>One twentieth.</summary>
    public double FirstByteTarget { get; } = 0.05;

    /// <summary>Whether every target is met.</summary>
    public bool TargetsMet => Verified && PssRatio <= PssTarget && FirstByteRatio <= FirstByteTarget && SecondCloneStoreBytes == 0;
}
