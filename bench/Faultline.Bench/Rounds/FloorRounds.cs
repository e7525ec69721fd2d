using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Bench;

/// <summary>
/// What the kernel alone takes for the system calls of a pager that reads in order: one thread reads the file and installs what it read, in the longest
/// pieces the pager uses. No fault, no plan, no second thread: a pager made of these calls cannot be faster.
/// </summary>
internal sealed class FloorRounds(IMemoryEngine engine, string path, int pages, int pieceBytes)
{
    private readonly byte[] _piece = GC.AllocateArray<byte>(pieceBytes, pinned: true);

    /// <summary>pread(2) and COPY into anonymous memory.</summary>
    public Row Anonymous() => new(pages, _ => Task.FromResult(Run(MapRequest.PrivateAnonymous(Length), file: null)));

    /// <summary>pread(2), pwrite(2) into the memory file, and CONTINUE in a private mapping of it.</summary>
    public Row Image() => new(pages, _ =>
    {
        using IMemoryFile file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "faultline-bench", Size = Length }).OrThrow("memfd_create");
        return Task.FromResult(Run(MapRequest.PrivateFile(file, Length), file));
    });

    private ulong Length => (ulong)pages * PageSize.Small;

    private RoundResult Run(MapRequest request, IMemoryFile? file)
    {
        using SafeFileHandle store = File.OpenHandle(path);
        var area = new AddressRange(engine.Home.Map(request).OrThrow("mmap"), Length);
        try
        {
            using IUserfaultfd context = UserfaultfdHandshake.Open(engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
            RegisterModes modes = file is null ? RegisterModes.Missing : RegisterModes.Missing | RegisterModes.Minor;
            new SystemResult(context.Register(area, modes).Errno).OrThrow("UFFDIO_REGISTER", area);
            long begin = Stopwatch.GetTimestamp();
            for (ulong offset = 0; offset < Length; offset += (ulong)pieceBytes)
            {
                Install(context, area, file, store, offset);
            }

            return new RoundResult((long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds, 0, 0);
        }
        finally
        {
            engine.Home.Unmap(area).OrThrow("munmap", area);
        }
    }

    private void Install(IUserfaultfd context, AddressRange area, IMemoryFile? file, SafeFileHandle store, ulong offset)
    {
        Span<byte> piece = _piece.AsSpan(0, (int)Math.Min((ulong)pieceBytes, Length - offset));
        RandomAccess.Read(store, piece, (long)offset);
        AddressRange target = area.Slice(offset, (ulong)piece.Length);
        if (file is null)
        {
            new SystemResult(context.Copy(target.Start, piece).Errno).OrThrow("UFFDIO_COPY", target);
            return;
        }

        file.Write(offset, piece).OrThrow("pwrite");
        new SystemResult(context.Continue(target).Errno).OrThrow("UFFDIO_CONTINUE", target);
    }
}
