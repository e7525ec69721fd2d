using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Cli.Tests;

/// <summary>
/// Serves the files of a folder by range, for tests of the tool's wiring. It never fails and never lies; what real servers do to a store is tested
/// with real ones in Faultline.Stores.Tests.
/// </summary>
internal sealed class RangeServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly string _folder;
    private readonly Task _serving;
    private long _bytes;

    public RangeServer(string folder)
    {
        _folder = folder;
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        int port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        Address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/");
        _listener.Prefixes.Add(Address);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address { get; }

    /// <summary>How long each answer takes.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The bytes of files sent so far.</summary>
    public long BytesSent => Interlocked.Read(ref _bytes);

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => AnswerAsync(context));
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using HttpListenerResponse response = context.Response;
        byte[] file = await File.ReadAllBytesAsync(Path.Combine(_folder, Path.GetFileName(context.Request.Url!.AbsolutePath)));
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
