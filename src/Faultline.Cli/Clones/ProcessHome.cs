using System;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;
using Faultline.Linux;
using Faultline.PageServer;

namespace Faultline.Cli.Clones;

/// <summary>The own process, on the kernel; the pager is another one.</summary>
internal sealed class ProcessHome : CloneHome, IDisposable
{
    private readonly LinuxEngine _engine = new();

    public ProcessHome() => Access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("opening the access to the own memory");

    public override IMemoryAccess Access { get; }

    public override ProcessFigures Figures => ProcessFigures.Of(Environment.ProcessId);

    public override long CountFaults() => ProcessFigures.FaultsOfThisThread();

    public override CloneMemory Open(CloneJob job) => job.Mode switch
    {
        RestoreMode.Eager => new EagerCloneMemory(_engine.Home, Access, job.Image, job.ImageBytes),
        RestoreMode.Mmap => new MappedFileCloneMemory(_engine.Home, job.Image, job.ImageBytes),
        _ => OpenPaged(job, RunFolder.SocketOf(job.RunFolder)),
    };

    public override CloneMemory OpenRehearsal(CloneJob job) => OpenPaged(job, RunFolder.RehearsalSocketOf(job.RunFolder));

    public void Dispose()
    {
        Access.Dispose();
        _engine.Dispose();
    }

    private PagedCloneMemory OpenPaged(CloneJob job, string socket)
    {
        RemoteMapping mapping = job.Mode == RestoreMode.Copy ? RemoteMapping.Copied : RemoteMapping.Private;
        return new PagedCloneMemory(_engine, socket, CloneName.Of(job.Index), mapping);
    }
}
