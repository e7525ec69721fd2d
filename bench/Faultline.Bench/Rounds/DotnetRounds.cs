using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>Rounds in this process: a .NET handler thread, and the kernel's own faults to compare with.</summary>
internal sealed class DotnetRounds : IRounds, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly IMemoryEngine _engine;
    private readonly IToucher _toucher;
    private readonly AddressRange _sourcePage;
    private IMemoryFile? _file;
    private ulong _fileLength;

    /// <summary>Uses an engine and a touching thread; neither is owned.</summary>
    public DotnetRounds(IMemoryEngine engine, IToucher toucher)
    {
        _engine = engine;
        _toucher = toucher;
        VirtualAddress source = engine.Home.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap");
        _sourcePage = new AddressRange(source, PageSize.Small);
        engine.Home.Advise(_sourcePage, Advice.PopulateWrite).OrThrow("madvise", _sourcePage);
        if (!engine.Home.TryGetSpan(_sourcePage, out Span<byte> bytes))
        {
            throw new BenchmarkException("The source page cannot be addressed in this process.");
        }

        bytes.Fill(1);
    }

    /// <inheritdoc/>
    public Task<RoundResult> RunAsync(RoundSpec spec, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        MapRequest request = spec.Kind == RoundKind.Copy
            ? MapRequest.PrivateAnonymous(spec.Length)
            : MapRequest.SharedFile(FilledFile(spec.Length), spec.Length);
        VirtualAddress start = _engine.Home.Map(request).OrThrow("mmap");
        var area = new AddressRange(start, spec.Length);
        try
        {
            return Task.FromResult(spec.Kind == RoundKind.FaultAround ? Touch(spec, area) : Handle(spec, area));
        }
        finally
        {
            _engine.Home.Unmap(area).OrThrow("munmap", area);
        }
    }

    /// <summary>Closes the memory file and unmaps the source page.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _engine.Home.Unmap(_sourcePage).OrThrow("munmap", _sourcePage);
    }

    private RoundResult Touch(RoundSpec spec, AddressRange area)
    {
        ITouching touching = _toucher.Prepare(area.Start, spec.Pages, spec.Placement.FaultingCpu);
        touching.Start();
        return new RoundResult(touching.Finish(), 0, 0);
    }

    private RoundResult Handle(RoundSpec spec, AddressRange area)
    {
        UserfaultfdOptions waiting = spec.Style == ReadStyle.Polling ? UserfaultfdOptions.NonBlocking : UserfaultfdOptions.None;
        using IUserfaultfd context = UserfaultfdHandshake
            .Open(_engine.Home, UserfaultfdFeatures.None, options: UserfaultfdOptions.CloseOnExec | waiting)
            .OrThrow("userfaultfd");
        using IUserfaultfdPoller? poller = spec.Style == ReadStyle.Polling ? _engine.CreatePoller() : null;
        RegisterModes modes = spec.Kind == RoundKind.Copy ? RegisterModes.Missing : RegisterModes.Minor;
        new SystemResult(context.Register(area, modes).Errno).OrThrow("UFFDIO_REGISTER", area);

        var handler = new DotnetHandler(spec, area, context, poller, _sourcePage);
        ITouching touching = _toucher.Prepare(area.Start, spec.Pages, spec.Placement.FaultingCpu);
        touching.Start();
        try
        {
            handler.Finish(Deadline);
        }
        catch (BenchmarkException)
        {
            // The toucher may sleep on a fault nobody will answer; without a registration it reads on.
            context.Unregister(area);
            context.Wake(area);
            touching.Finish();
            throw;
        }

        long elapsedNs = touching.Finish();
        poller?.Remove(context).OrThrow("epoll_ctl");
        return new RoundResult(elapsedNs, handler.Faults, handler.AllocatedBytes);
    }

    /// <summary>A memory file with all its pages in the page cache, written through no mapping at all.</summary>
    private IMemoryFile FilledFile(ulong length)
    {
        _file ??= _engine.CreateMemoryFile(new MemoryFileOptions { Name = "faultline-bench" }).OrThrow("memfd_create");
        if (_fileLength >= length)
        {
            return _file;
        }

        _file.Truncate(length).OrThrow("ftruncate");
        byte[] chunk = new byte[1 << 20];
        chunk.AsSpan().Fill(1);
        for (ulong offset = 0; offset < length;)
        {
            ReadOnlySpan<byte> rest = chunk.AsSpan(0, (int)Math.Min((ulong)chunk.Length, length - offset));
            offset += (ulong)_file.Write(offset, rest).OrThrow("pwrite");
        }

        _fileLength = length;
        return _file;
    }
}
