using Faultline.Cli.Processes;

namespace Faultline.Cli.Clones;

/// <summary>Where a clone lives: a process of its own, or an address space of the managed engine.</summary>
internal abstract class CloneHome
{
    /// <summary>The way to its memory.</summary>
    public abstract IMemoryAccess Access { get; }

    /// <summary>What the process takes that is the clone's alone.</summary>
    public virtual ProcessFigures Figures => default;

    /// <summary>Page faults taken so far.</summary>
    public abstract long CountFaults();

    /// <summary>Makes the memory of a job.</summary>
    public abstract CloneMemory Open(CloneJob job);

    /// <summary>Makes memory that shows the image of <see cref="Rehearsal"/>, in a mode with a pager.</summary>
    public abstract CloneMemory OpenRehearsal(CloneJob job);
}
