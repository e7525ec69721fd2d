using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Hosting.Tests;

/// <summary>The sample service <c>ModelServer</c> in a process of its own.</summary>
internal sealed class ModelProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringWriter _output;
    private readonly HttpClient _client;

    private ModelProcess(Process process, StringWriter output, Uri address)
    {
        _process = process;
        _output = output;
        _client = new HttpClient { BaseAddress = address, Timeout = Deadline };
    }

    /// <summary>What it has said.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public static async Task<ModelProcess> StartAsync(params string[] arguments)
    {
        string here = AppContext.BaseDirectory.TrimEnd('/');
        string configuration = Path.GetFileName(Path.GetDirectoryName(here))!;
        string program = Path.GetFullPath(Path.Combine(here, "../../../../../samples/ModelServer/bin", configuration, "net10.0/ModelServer.dll"));
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(program),
        };
        foreach (string argument in (string[])[program, "--urls=http://127.0.0.1:0", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        // It is killed in the end, and would leave its sockets for debuggers in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";

        var output = new StringWriter(CultureInfo.InvariantCulture);
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        Process process = Process.Start(start)!;
        void Keep(string? line)
        {
            lock (output)
            {
                output.WriteLine(line);
            }

            if (line?.IndexOf(Listening, StringComparison.Ordinal) is { } at and >= 0)
            {
                address.TrySetResult(new Uri(line[(at + Listening.Length)..]));
            }
            else if (line is null)
            {
                address.TrySetException(new InvalidOperationException("The service ended."));
            }
        }

        process.OutputDataReceived += (_, told) => Keep(told.Data);
        process.ErrorDataReceived += (_, told) => Keep(told.Data ?? string.Empty);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            return new ModelProcess(process, output, await address.Task.WaitAsync(Deadline));
        }
        catch (Exception failure)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
            string said;
            lock (output)
            {
                said = output.ToString();
            }

            throw new InvalidOperationException($"The service did not start. It said: {said}", failure);
        }
    }

    public async Task<(HttpStatusCode Status, byte[] Body)> GetRangeAsync(string model, long offset, long length)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/models/{model}", UriKind.Relative));
        request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
        using HttpResponseMessage response = await _client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public async Task<(HttpStatusCode Status, byte[] Body)> GetAllAsync(string model)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri($"/models/{model}", UriKind.Relative));
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public Task<string> HealthAsync() => _client.GetStringAsync(new Uri("/health", UriKind.Relative));

    public async Task<JsonElement> MemoryAsync(string model) => await _client.GetFromJsonAsync<JsonElement>(new Uri($"/memory/{model}", UriKind.Relative));

    /// <summary>What the kernel says the process has in memory of the model's file.</summary>
    public async Task<long> ResidentBytesAsync(string model)
    {
        long bytes = 0;
        bool isModel = false;
        foreach (string line in await File.ReadAllLinesAsync($"/proc/{_process.Id.ToString(CultureInfo.InvariantCulture)}/smaps"))
        {
            if (line.Split(' ', 2)[0].Contains('-', StringComparison.Ordinal))
            {
                isModel = line.Contains($"memfd:{model} ", StringComparison.Ordinal);
            }
            else if (isModel && line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                const NumberStyles Style = NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;
                bytes += long.Parse(line.AsSpan()["Rss:".Length..^"kB".Length], Style, CultureInfo.InvariantCulture) << 10;
            }
        }

        return bytes;
    }

    public async Task WaitForHealthAsync(string wanted)
    {
        long begun = Stopwatch.GetTimestamp();
        string health;
        while ((health = await HealthAsync()) != wanted)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Deadline, $"The service is {health} and not {wanted}. It said: {Output}");
            await Task.Delay(50);
        }
    }

    /// <summary>Asks it to end, as an operator does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("kill", ["-s", "TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync().WaitAsync(Deadline);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
