using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>A real nginx that serves one folder of a test on a free port of this machine, and can be killed, stopped and started again.</summary>
internal sealed class NginxServer : IAsyncDisposable
{
    private static readonly string? Program =
        new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx" }.FirstOrDefault(File.Exists);

    private readonly string _folder;
    private readonly int _port = LoopbackPort.Take();
    private readonly int _securePort = LoopbackPort.Take();
    private Process? _process;

    private NginxServer(string folder) => _folder = folder;

    /// <summary>What is served.</summary>
    public string Files => Path.Combine(_folder, "files");

    /// <summary>While this file exists every request is answered 503.</summary>
    public string TroubleFile => Path.Combine(Files, "trouble");

    public static async Task<NginxServer> StartAsync(string folder)
    {
        Assert.SkipUnless(Program is not null, "nginx is not installed: `apt-get install nginx-light` (or eng/test-servers.sh) brings it.");
        var server = new NginxServer(folder);
        Directory.CreateDirectory(server.Files);
        server.MakeCertificate();
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), server.Configuration());
        await server.StartAsync();
        return server;
    }

    public Uri AddressOf(string name) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/{name}"));

    /// <summary>The same, encrypted; the certificate comes from <see cref="Authorities"/> alone.</summary>
    public Uri SecureAddressOf(string name) => new(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{_securePort}/{name}"));

    /// <summary>Made for this server, and trusted by nobody else.</summary>
    public X509Certificate2Collection Authorities { get; } = [];

    /// <summary>Starts it on the port it had, and waits until it answers.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(Program!) { UseShellExecute = false, RedirectStandardError = true };
        foreach (string argument in (string[])["-p", _folder, "-c", Path.Combine(_folder, "nginx.conf"), "-e", Path.Combine(_folder, "error.log")])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        long begun = Stopwatch.GetTimestamp();
        while (!await IsListeningAsync())
        {
            bool isLate = _process.HasExited || Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(60);
            Assert.False(isLate, isLate ? $"nginx does not answer: {await File.ReadAllTextAsync(Path.Combine(_folder, "error.log"))}" : string.Empty);
            await Task.Delay(20);
        }
    }

    /// <summary>Ends it at once, with all connections.</summary>
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

    /// <summary>Keeps it from running: connections are accepted by the kernel, and nobody answers.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    public Task ThawAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await ThawAsync();
            await KillAsync();
        }
    }

    /// <summary>One process, so that signals reach what serves.</summary>
    private string Configuration() => string.Create(CultureInfo.InvariantCulture, $$"""
        daemon off;
        master_process off;
        pid nginx.pid;
        events { worker_connections 256; }
        http {
          access_log off;
          client_body_temp_path body;
          proxy_temp_path proxy;
          fastcgi_temp_path fastcgi;
          uwsgi_temp_path uwsgi;
          scgi_temp_path scgi;
          server {
            listen 127.0.0.1:{{_port}};
            listen 127.0.0.1:{{_securePort}} ssl;
            ssl_certificate {{_folder}}/server.pem;
            ssl_certificate_key {{_folder}}/server.key;
            root {{Files}};
            if (-f $document_root/trouble) { return 503; }
            location /no-tag/ { alias {{Files}}/; etag off; }
            location /no-ranges/ { alias {{Files}}/; max_ranges 0; }
            location /slow/ { alias {{Files}}/; limit_rate 128k; }
            location /forbidden { return 403; }
          }
        }
        """);

    /// <summary>An authority, and a certificate for localhost that it has signed.</summary>
    private void MakeCertificate()
    {
        // The banned clock is that of the program under test; a certificate is valid by the calendar.
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=an authority of a test", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using X509Certificate2 root = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(root, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        File.WriteAllText(Path.Combine(_folder, "server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "server.key"), key.ExportPkcs8PrivateKeyPem());
        Authorities.Add(X509CertificateLoader.LoadCertificate(root.RawData));
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private async Task<bool> IsListeningAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
