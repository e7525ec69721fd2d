using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Cli.Tests;

/// <summary>
/// Serves the files of a folder by range, for tests of the tool's wiring. It never fails and never lies; what real servers do to a store is tested
/// with real ones in Faultline.Stores.Tests.
/// </summary>
internal sealed class RangeServer(string folder) : LoopbackServer
{
    private long _bytes;

    /// <summary>How long each answer takes.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The bytes of files sent so far.</summary>
    public long BytesSent => Interlocked.Read(ref _bytes);

    protected override async Task AnswerAsync(HttpListenerContext context)
    {
        using HttpListenerResponse response = context.Response;
        byte[] file = await File.ReadAllBytesAsync(Path.Combine(folder, Path.GetFileName(context.Request.Url!.AbsolutePath)));
        string[] range = context.Request.Headers["Range"]!["bytes=".Length..].Split('-');
        await Task.Delay(Latency);
        int first = int.Parse(range[0], CultureInfo.InvariantCulture);
        int last = Math.Min(int.Parse(range[1], CultureInfo.InvariantCulture), file.Length - 1);
        response.StatusCode = (int)HttpStatusCode.PartialContent;
        response.Headers["ETag"] = "\"one\"";
        response.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {first}-{last}/{file.Length}");
        response.ContentLength64 = last - first + 1;
        await response.OutputStream.WriteAsync(file.AsMemory(first, last - first + 1));
        Interlocked.Add(ref _bytes, last - first + 1);
    }
}
