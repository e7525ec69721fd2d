using System.Collections.Generic;
using Faultline.Cli.Patterns;

namespace Faultline.Cli.Restore;

/// <summary>What a restore was asked to do. Values are checked when it is made; see <see cref="Commands.RestoreArguments"/>.</summary>
internal sealed record RestoreOptions
{
    /// <summary>The most clones of one run: each is a process of its own, or a thread.</summary>
    public const int MaxClones = 256;

    public required string ImagePath { get; init; }

    public RestoreEngine Engine { get; init; }

    /// <summary>Null, or one sentence about the choice of the engine.</summary>
    public string? EngineNote { get; init; }

    public int Clones { get; init; } = 4;

    public AccessPattern Pattern { get; init; } = AccessPattern.Sequential;

    public string? TracePath { get; init; }

    /// <summary>Accesses in per cent of the pages of the image; a trace has its own number.</summary>
    public double TouchPercent { get; init; } = 100;

    /// <summary>Pages written in per cent of the pages touched.</summary>
    public double WritePercent { get; init; }

    public int Handlers { get; init; } = 2;

    public bool Verify { get; init; }

    public IReadOnlyList<RestoreMode> Compare { get; init; } = [];

    public string? ReportPath { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>Where the working set of the main run is written; null for nowhere.</summary>
    public string? RecordPath { get; init; }

    /// <summary>The working set the main run is given ahead of its faults; null for none.</summary>
    public string? ReplayPath { get; init; }

    /// <summary>Whether what the meter says is shown.</summary>
    public bool Metrics { get; init; }

    /// <summary>Where metrics and traces are sent; null for nowhere.</summary>
    public string? Otlp { get; init; }

    /// <summary>Where the memory of the first clone of the main run is saved; null for nowhere.</summary>
    public string? SnapshotPath { get; init; }

    /// <summary>The folder of the cache before a remote image, or null for none.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>The most bytes of that cache.</summary>
    public long CacheBytes { get; init; }
}
