using System;
using Faultline.Cli.Clones;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Spaces;

/// <summary>An address space of the managed engine; the pager is in the same program.</summary>
internal sealed class SpaceHome : CloneHome, IDisposable
{
    private readonly ManagedStage _stage;
    private readonly IAddressSpace _space;

    public SpaceHome(ManagedStage stage)
    {
        _stage = stage;
        _space = stage.Engine.CreateAddressSpace().OrThrow("creating an address space");
        Access = _space.OpenAccess(AccessMode.Kernel).OrThrow("opening the access to the address space");
    }

    public override IMemoryAccess Access { get; }

    public override long CountFaults() => Access.FaultCounts.Minor + Access.FaultCounts.Major;

    public override CloneMemory Open(CloneJob job) => job.Mode == RestoreMode.Eager
        ? new EagerCloneMemory(_space, Access, job.Image, job.ImageBytes)
        : _stage.Open(_space, job);

    public override CloneMemory OpenRehearsal(CloneJob job) => _stage.OpenRehearsal(_space, job);

    public void Dispose()
    {
        Access.Dispose();
        _space.Dispose();
    }
}
