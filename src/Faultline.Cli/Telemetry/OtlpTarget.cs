using System;

namespace Faultline.Cli.Telemetry;

/// <summary>Where metrics and traces go: the base address of an OTLP receiver, to which each signal adds its path.</summary>
/// <param name="Address">The address.</param>
/// <param name="IsGrpc">Whether it speaks gRPC; else protobuf over HTTP.</param>
internal sealed record OtlpTarget(Uri Address, bool IsGrpc)
{
    private const string Usual = "http://localhost:4318";
    private const int GrpcPort = 4317;

    /// <summary>Reads the word after <c>--otlp</c>, or what OpenTelemetry's own variables say.</summary>
    /// <exception cref="ToolException">It is no address.</exception>
    public static OtlpTarget Parse(string? word)
    {
        string text = word ?? Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") ?? Usual;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw ToolException.BadInput($"--otlp must be the address of an OTLP receiver, for example {Usual}, not '{text}'. The image comes before it.");
        }

        string? protocol = Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL");
        return new OtlpTarget(address, protocol is null ? address.Port == GrpcPort : protocol == "grpc");
    }

    /// <summary>The address for a signal.</summary>
    /// <param name="signal"><c>metrics</c> or <c>traces</c>.</param>
    public Uri For(string signal) => IsGrpc ? Address : new Uri($"{Address.AbsoluteUri.TrimEnd('/')}/v1/{signal}");
}
