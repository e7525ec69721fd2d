using System;
using System.Diagnostics;
using System.Threading.Tasks;

namespace Faultline.Bench;

/// <summary>
/// UFFDIO_CONTINUE and UFFDIO_COPY without faults, on either engine by the same code: the whole area in one call, or a call for each page. After
/// each round the entries go again, so tables, frames and pages of the cache are the same ones each time.
/// </summary>
internal sealed class FillRounds : IDisposable
{
    /// <summary>The pages of a round.</summary>
    public const int Pages = 16_384;

    private const ulong Length = Pages * PageSize.Small;

    private readonly IMemoryEngine _engine;
    private readonly int _cpu;
    private readonly IMemoryFile _file;
    private readonly AddressRange _shared;
    private readonly AddressRange _anonymous;
    private readonly IUserfaultfd _context;
    private readonly byte[] _source;

    /// <summary>Maps and registers the areas.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="cpu">Where the calls are made.</param>
    /// <param name="source">What is copied; the same for both engines.</param>
    public FillRounds(IMemoryEngine engine, int cpu, byte[] source)
    {
        _engine = engine;
        _cpu = cpu;
        _source = source;
        _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "faultline-bench", Size = Length }).OrThrow("memfd_create");
        for (ulong offset = 0; offset < Length; offset += (ulong)source.Length)
        {
            _file.Write(offset, source).OrThrow("pwrite");
        }

        _shared = new AddressRange(engine.Home.Map(MapRequest.SharedFile(_file, Length)).OrThrow("mmap"), Length);
        _anonymous = new AddressRange(engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap"), Length);
        _context = UserfaultfdHandshake.Open(engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        new SystemResult(_context.Register(_shared, RegisterModes.Minor).Errno).OrThrow("UFFDIO_REGISTER", _shared);
        new SystemResult(_context.Register(_anonymous, RegisterModes.Missing).Errno).OrThrow("UFFDIO_REGISTER", _anonymous);
    }

    /// <summary>One CONTINUE for all pages.</summary>
    public Row BulkContinue() => RowOf(_shared, () => Check(_context.Continue(_shared), "UFFDIO_CONTINUE", _shared));

    /// <summary>A CONTINUE for each page.</summary>
    public Row SingleContinue() => RowOf(_shared, ContinueEach);

    /// <summary>COPY of as many pages as the source has at a time.</summary>
    public Row BulkCopy() => RowOf(_anonymous, CopyAll);

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Dispose();
        _engine.Home.Unmap(_shared).OrThrow("munmap", _shared);
        _engine.Home.Unmap(_anonymous).OrThrow("munmap", _anonymous);
        _file.Dispose();
    }

    private static void Check(FillResult result, string call, AddressRange range) => new SystemResult(result.Errno).OrThrow(call, range);

    private Row RowOf(AddressRange area, Action fill) => new(Pages, _ => Task.FromResult(OnCpu.Run(_cpu, () =>
    {
        long begin = Stopwatch.GetTimestamp();
        fill();
        var result = new RoundResult((long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds, 0, 0);
        _engine.Home.Advise(area, Advice.DontNeed).OrThrow("madvise", area);
        return result;
    })));

    private void ContinueEach()
    {
        for (ulong offset = 0; offset < Length; offset += PageSize.Small)
        {
            ContinueOne(_shared.Slice(offset, PageSize.Small));
        }
    }

    // A method of its own, so that the runtime optimises it for good after the warm-up rounds.
    private void ContinueOne(AddressRange page) => Check(_context.Continue(page), "UFFDIO_CONTINUE", page);

    private void CopyAll()
    {
        for (ulong offset = 0; offset < Length; offset += (ulong)_source.Length)
        {
            AddressRange piece = _anonymous.Slice(offset, (ulong)_source.Length);
            Check(_context.Copy(piece.Start, _source), "UFFDIO_COPY", piece);
        }
    }
}
