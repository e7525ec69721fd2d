using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading.Tasks;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Faultline.S3;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>A real server that speaks S3's protocol (s3rver), on a free port of this machine, with its objects in a folder of the test.</summary>
internal sealed class S3Server : IAsyncDisposable
{
    public const string Bucket = "images";

    private readonly string _folder;
    private readonly string _program;
    private readonly int _port;
    private Process? _process;

    private S3Server(string folder, string program, int port)
    {
        _folder = folder;
        _program = program;
        _port = port;
    }

    public Uri Endpoint => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}"));

    public static async Task<S3Server> StartAsync(string folder)
    {
        string? program = FindProgram();
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':');
        string? node = folders.Select(static path => Path.Combine(path, "node")).FirstOrDefault(File.Exists);
        Assert.SkipUnless(program is not null && node is not null, "s3rver is not there: eng/test-servers.sh brings it from the npm registry (it needs node and npm).");
        var server = new S3Server(folder, program, LoopbackPort.Take());
        await server.StartAsync();
        return server;
    }

    public IAmazonS3 NewClient() => new AmazonS3Client(new BasicAWSCredentials("S3RVER", "S3RVER"), Configuration());

    public async Task PutAsync(string key, byte[] contents)
    {
        using IAmazonS3 client = NewClient();
        var request = new PutObjectRequest { BucketName = Bucket, Key = key, InputStream = new MemoryStream(contents), UseChunkEncoding = false };
        await client.PutObjectAsync(request);
    }

    /// <summary>An address that lets whoever has it read an object for an hour.</summary>
    public async Task<Uri> SignAsync(string key)
    {
        using IAmazonS3 client = NewClient();
        var request = new GetPreSignedUrlRequest
        {
            BucketName = Bucket,
            Key = key,
            Verb = HttpVerb.GET,
            Protocol = Protocol.HTTP,
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1),
        };
        return new Uri(await client.GetPreSignedURLAsync(request));
    }

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("node") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        string port = _port.ToString(CultureInfo.InvariantCulture);
        string[] arguments = [_program, "-s", "-d", Path.Combine(_folder, "s3"), "-a", "127.0.0.1", "-p", port, "--no-vhost-buckets", "--configure-bucket", Bucket];
        Directory.CreateDirectory(Path.Combine(_folder, "s3"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        using var client = new HttpClient();
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await client.GetAsync(new Uri(Endpoint, "/"));
                return;
            }
            catch (HttpRequestException)
            {
                bool isLate = _process.HasExited || Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(60);
                Assert.False(isLate, isLate ? $"s3rver does not answer: {(_process.HasExited ? await _process.StandardError.ReadToEndAsync() : string.Empty)}" : string.Empty);
                await Task.Delay(50);
            }
        }
    }

    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private AmazonS3Config Configuration()
    {
        AmazonS3Config configuration = S3PageStore.CreateConfiguration(Endpoint);
        configuration.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
        return configuration;
    }

    /// <summary>Where eng/test-servers.sh puts it, seen from where the tests are built.</summary>
    private static string? FindProgram()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string program = Path.Combine(folder.FullName, "artifacts", "test-servers", "node_modules", "s3rver", "bin", "s3rver.js");
            if (File.Exists(program))
            {
                return program;
            }
        }

        return null;
    }
}
