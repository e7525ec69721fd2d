using System;
using System.Globalization;
using System.Net;
using System.Threading.Tasks;
using Faultline.Stores.Tests;

namespace Faultline.Cli.Tests;

/// <summary>A web server on a port of its own, for as long as a test takes.</summary>
internal abstract class LoopbackServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    protected LoopbackServer()
    {
        _listener.Prefixes.Add(Address);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address { get; } = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPort.Take()}/");

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    /// <summary>Answers one request, and closes the response. Requests are answered side by side.</summary>
    protected abstract Task AnswerAsync(HttpListenerContext context);

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
}
