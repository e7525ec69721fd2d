using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;

namespace Faultline.Linux.Machine;

/// <summary>2 MiB pages added to the kernel's pool, and taken away again. A lock file keeps processes from adding at the same time.</summary>
internal sealed class BorrowedHugePages : IDisposable
{
    private const string Folder = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
    private static readonly string LockPath = Path.Combine(Path.GetTempPath(), "faultline-hugepages.lock");
    private int _borrowed;

    private BorrowedHugePages(int borrowed, string? refusal)
    {
        _borrowed = borrowed;
        Refusal = refusal;
    }

    /// <summary>Null, or why there are none.</summary>
    internal string? Refusal { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        int borrowed = Interlocked.Exchange(ref _borrowed, 0);
        if (borrowed != 0)
        {
            using FileStream held = Lock();
            Write(Math.Max(0, Read() - borrowed));
        }
    }

    /// <summary>Enlarges the pool.</summary>
    internal static BorrowedHugePages Take(int wanted = 64)
    {
        try
        {
            using FileStream held = Lock();
            int before = Read();
            Write(before + wanted);
            int got = Read() - before;
            if (got >= wanted)
            {
                return new(got, refusal: null);
            }

            Write(before);
            return new(0, $"The kernel gave only {got} of {wanted} huge pages; free memory, or write {wanted} to {Folder}nr_hugepages beforehand.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or TimeoutException)
        {
            return new(0, $"Huge pages cannot be had: {error.Message} Run as root, with hugetlb in the kernel.");
        }
    }

    /// <summary>The machine's pool: all pages, those that are free, and those of the free ones that are reserved.</summary>
    internal static (int Total, int Free, int Reserved) ReadPool() => (Read(), Read("free_hugepages"), Read("resv_hugepages"));

    private static int Read(string file = "nr_hugepages") =>
        int.Parse(File.ReadAllText(Folder + file), NumberStyles.None | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);

    private static void Write(int count) => File.WriteAllText(Folder + "nr_hugepages", count.ToString(CultureInfo.InvariantCulture));

    private static FileStream Lock()
    {
        long start = Stopwatch.GetTimestamp();
        using ManualResetEventSlim never = new(initialState: false);
        while (true)
        {
            try
            {
                return new FileStream(LockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
            {
                never.Wait(TimeSpan.FromMilliseconds(20));
            }
        }
    }
}
