// Serves byte ranges of files that are larger than the memory it may take, from a web server that may be down for a while.
//
//     dotnet run --project samples/ModelServer -- --urls http://127.0.0.1:8081 --Faultline:Images:model:Address=http://127.0.0.1:8080/model.bin
using Faultline.Hosting;
using Faultline.Paging;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ModelServer;
using OpenTelemetry;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddFaultline();
OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry()
    .WithMetrics(static metrics => metrics.AddMeter(PagingTelemetry.MeterName))
    .WithTracing(static traces => traces.AddSource("Microsoft.AspNetCore", PagingTelemetry.ActivitySourceName));
if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not null)
{
    telemetry.UseOtlpExporter();
}

WebApplication app = builder.Build();
app.MapGet("/models/{name}", ModelAnswer.WriteAsync);
app.MapGet("/memory/{name}", ModelAnswer.DescribeMemory);
app.MapHealthChecks("/health");
await app.RunAsync();
