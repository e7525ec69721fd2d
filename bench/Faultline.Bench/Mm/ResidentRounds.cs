using System;
using System.Diagnostics;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>Reading memory that is resident, through the software TLB, beside an array: 8 bytes at a time, and in bulk.</summary>
internal sealed class ResidentRounds : IDisposable
{
    /// <summary>The 8-byte loads of a round.</summary>
    public const int Loads = 4_000_000;

    /// <summary>The pages that a bulk round reads.</summary>
    public const int ReadPages = 16_384;

    /// <summary>Within the reach of the processor's caches, so that the time of an access is seen and not that of the memory.</summary>
    private const int LoadBytes = 256 << 10;

    private const ulong Length = ReadPages * PageSize.Small;

    /// <summary>What is read at a time.</summary>
    private const int PieceBytes = 1 << 20;

    private const ulong Words = LoadBytes / sizeof(ulong);

    private const ulong RestWords = Loads % Words;

    /// <summary>The sum of a round of loads: the word at position i holds 3 i.</summary>
    private const ulong ExpectedSum = 3 * ((Loads / Words * (Words * (Words - 1) / 2)) + (RestWords * (RestWords - 1) / 2));

    private readonly IMemoryEngine _engine;
    private readonly int _cpu;
    private readonly AddressRange _area;
    private readonly ulong[] _array = new ulong[LoadBytes / sizeof(ulong)];
    private readonly byte[] _bytes = new byte[Length];
    private readonly byte[] _piece = new byte[PieceBytes];

    /// <summary>Maps and fills the area.</summary>
    public ResidentRounds(IMemoryEngine engine, int cpu)
    {
        _engine = engine;
        _cpu = cpu;
        _area = new AddressRange(engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap"), Length);
        engine.Home.Advise(_area, Advice.PopulateWrite).OrThrow("madvise", _area);
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("opening an accessor");
        for (int i = 0; i < _array.Length; i++)
        {
            _array[i] = (ulong)i * 3;
            access.Store(_area.Start + ((ulong)i * sizeof(ulong)), _array[i]);
        }

        // Each page of the array has a frame of its own too, not the kernel's zero page.
        _bytes.AsSpan().Fill(1);
    }

    /// <summary>8-byte loads through an accessor, in order, over and over.</summary>
    public Row Load() => RowOf(Loads, LoadAll);

    /// <summary>The same of an array, with its bounds check.</summary>
    public Row ArrayLoad() => RowOf(Loads, () => SumArray(_array, Loads));

    /// <summary>Bulk reads of the area.</summary>
    public Row Read() => RowOf(ReadPages, ReadAll);

    /// <summary>The same bytes, from an array.</summary>
    public Row Memcpy() => RowOf(ReadPages, CopyAll);

    /// <inheritdoc/>
    public void Dispose() => _engine.Home.Unmap(_area).OrThrow("munmap", _area);

    private static ulong SumArray(ulong[] array, int loads)
    {
        ulong sum = 0;
        int at = 0;
        for (int i = 0; i < loads; i++)
        {
            sum += array[at];
            at = (at + 1) & ((LoadBytes / sizeof(ulong)) - 1);
        }

        return sum;
    }

    private static ulong SumAccess(IMemoryAccess access, VirtualAddress start, int loads)
    {
        ulong sum = 0;
        int at = 0;
        for (int i = 0; i < loads; i++)
        {
            access.Load(start + ((ulong)at * sizeof(ulong)), out ulong value);
            sum += value;
            at = (at + 1) & ((LoadBytes / sizeof(ulong)) - 1);
        }

        return sum;
    }

    private Row RowOf(int count, Func<ulong> measure) => new(count, _ => Task.FromResult(OnCpu.Run(_cpu, () =>
    {
        long begin = Stopwatch.GetTimestamp();
        ulong sum = measure();
        var result = new RoundResult((long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds, 0, 0);
        return sum != 0 ? result : throw new BenchmarkException("What was read is not what was written.");
    })));

    private ulong LoadAll()
    {
        using IMemoryAccess access = _engine.Home.OpenAccess().OrThrow("opening an accessor");
        ulong sum = SumAccess(access, _area.Start, Loads);
        return sum == ExpectedSum ? sum : 0;
    }

    private ulong ReadAll()
    {
        using IMemoryAccess access = _engine.Home.OpenAccess().OrThrow("opening an accessor");
        ulong done = 0;
        for (ulong offset = 0; offset < Length; offset += PieceBytes)
        {
            done += access.Read(_area.Start + offset, _piece).BytesDone;
        }

        return done == Length ? done : 0;
    }

    private ulong CopyAll()
    {
        for (int offset = 0; offset < _bytes.Length; offset += PieceBytes)
        {
            _bytes.AsSpan(offset, PieceBytes).CopyTo(_piece);
        }

        return _piece[0];
    }
}
