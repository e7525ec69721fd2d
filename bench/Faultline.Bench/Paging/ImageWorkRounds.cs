using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Stores;

namespace Faultline.Bench;

/// <summary>What <c>image create</c>, <c>extract</c> and <c>verify</c> do, with several reads under way and with one.</summary>
internal static class ImageWorkRounds
{
    private const int ImageBytes = 64 << 20;
    private const int NetworkReads = 16;
    private const double LocalTarget = 0.8;
    private const double NetworkTarget = 0.4;

    /// <summary>Packing takes most of the time, and was done on all processors before.</summary>
    private const double CreateTarget = 0.9;

    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(5);

    /// <summary>Runs rounds of all, in turns.</summary>
    public static async Task<IReadOnlyList<ImageWorkRow>> RunAsync(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("faultline-bench-").FullName;
        try
        {
            string image = Path.Combine(folder, "image.flt");
            byte[] contents = MakeContents();
            await ImageBuilder.CreateAsync(new MemoryPageStore(contents), image, new ImageWriterOptions(), null, cancellation).ConfigureAwait(false);
            int cores = Math.Min(2, Environment.ProcessorCount);
            double localTarget = cores > 1 ? LocalTarget : 1.05;
            (string Work, string Source, int Reads, TimeSpan Latency, double Target)[] rows =
            [
                ("verify", "file", cores, TimeSpan.Zero, localTarget),
                ("extract", "file", cores, TimeSpan.Zero, 1.05),
                ("verify", "network", NetworkReads, Latency, NetworkTarget),
                ("extract", "network", NetworkReads, Latency, NetworkTarget),
                ("create", "network", NetworkReads, Latency, CreateTarget),
            ];
            double[][] one = [.. rows.Select(_ => new double[rounds])];
            double[][] many = [.. rows.Select(_ => new double[rounds])];
            for (int round = 0; round < rounds; round++)
            {
                progress($"images: round {round + 1} of {rounds}");
                for (int i = 0; i < rows.Length; i++)
                {
                    (string work, string source, int reads, TimeSpan latency, _) = rows[i];
                    Func<int, IPageStore> open = readsAtOnce => new LimitedStore(
                        work == "create" ? new MemoryPageStore(contents) : new FilePageStore(image), readsAtOnce, latency);
                    one[i][round] = await MeasureAsync(work, open(1), folder, cancellation).ConfigureAwait(false);
                    many[i][round] = await MeasureAsync(work, open(reads), folder, cancellation).ConfigureAwait(false);
                }
            }

            return [.. rows.Select((row, i) => new ImageWorkRow(
                row.Work, row.Source, row.Reads, Math.Round(ReplayRounds.Median(one[i]), 1), Math.Round(ReplayRounds.Median(many[i]), 1), row.Target)),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Half of it cannot be made smaller, a quarter can, a quarter is zero.</summary>
    private static byte[] MakeContents()
    {
        const int Piece = 256 << 10;
        byte[] contents = new byte[ImageBytes];
        var random = new Random(37);
        for (int offset = 0; offset < ImageBytes; offset += Piece)
        {
            Span<byte> piece = contents.AsSpan(offset, Piece);
            switch (offset / Piece % 4)
            {
                case 0 or 1:
                    random.NextBytes(piece);
                    break;
                case 2:
                    for (int i = 0; i < piece.Length; i++)
                    {
                        piece[i] = (byte)('a' + (random.Next() % 5 == 0 ? random.Next(26) : i % 11));
                    }

                    break;
            }
        }

        return contents;
    }

    private static async Task<double> MeasureAsync(string work, IPageStore bytes, string folder, CancellationToken cancellation)
    {
        string target = Path.Combine(folder, "target");
        using IPageStore source = work == "create" ? bytes : await ImagePageStore.OpenAsync(bytes, "image", null, cancellation).ConfigureAwait(false);
        long begun = Stopwatch.GetTimestamp();
        switch (work)
        {
            case "create":
                await ImageBuilder.CreateAsync(source, target, new ImageWriterOptions(), null, cancellation).ConfigureAwait(false);
                break;
            case "extract":
                await ImageBuilder.ExtractAsync(source, target, null, cancellation).ConfigureAwait(false);
                break;
            default:
                int chunkBytes = ((ImagePageStore)source).ChunkBytes;
                IReadOnlyList<ImageDamage> damages = await ImageSurvey.VerifyAsync(source, chunkBytes, null, cancellation).ConfigureAwait(false);
                if (damages.Count != 0)
                {
                    throw new BenchmarkException($"The image is damaged: {damages[0].Reason}");
                }

                break;
        }

        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }
}
