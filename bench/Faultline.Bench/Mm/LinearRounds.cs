using System;
using System.Diagnostics;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>munmap, fork and truncate of 1 GiB of which a part is resident: the time is that of the call alone.</summary>
internal sealed class LinearRounds(IMemoryEngine engine, int cpu)
{
    /// <summary>The length of the area.</summary>
    public const ulong Length = 1UL << 30;

    /// <summary>munmap of anonymous memory.</summary>
    public Row Unmap(int residentPages) => RowOf(residentPages, () =>
    {
        AddressRange area = Resident(MapRequest.PrivateAnonymous(Length), residentPages);
        return Time(() => engine.Home.Unmap(area).OrThrow("munmap", area));
    });

    /// <summary>fork with anonymous memory.</summary>
    public Row Fork(int residentPages) => RowOf(residentPages, () =>
    {
        AddressRange area = Resident(MapRequest.PrivateAnonymous(Length), residentPages);
        IAddressSpace? child = null;
        RoundResult result = Time(() => child = engine.Home.Fork().OrThrow("fork"));
        child?.Dispose();
        engine.Home.Unmap(area).OrThrow("munmap", area);
        return result;
    });

    /// <summary>ftruncate to nothing of a file that is mapped.</summary>
    public Row Truncate(int residentPages) => RowOf(residentPages, () =>
    {
        using IMemoryFile file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "faultline-bench", Size = Length }).OrThrow("memfd_create");
        AddressRange area = Resident(MapRequest.SharedFile(file, Length), residentPages);
        RoundResult result = Time(() => file.Truncate(0).OrThrow("ftruncate"));
        engine.Home.Unmap(area).OrThrow("munmap", area);
        return result;
    });

    private static RoundResult Time(Action call)
    {
        long begin = Stopwatch.GetTimestamp();
        call();
        return new RoundResult((long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds, 0, 0);
    }

    private Row RowOf(int residentPages, Func<RoundResult> measure) => new(residentPages, _ => Task.FromResult(OnCpu.Run(cpu, measure)));

    private AddressRange Resident(MapRequest request, int pages)
    {
        var area = new AddressRange(engine.Home.Map(request).OrThrow("mmap"), Length);
        AddressRange resident = area.Slice(0, (ulong)pages * PageSize.Small);
        engine.Home.Advise(resident, Advice.PopulateWrite).OrThrow("madvise", resident);
        return area;
    }
}
