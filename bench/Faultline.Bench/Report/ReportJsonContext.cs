using System.Text.Json.Serialization;

namespace Faultline.Bench;

/// <summary>The JSON form of the reports.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(FaultReport))]
[JsonSerializable(typeof(RestoreReport))]
[JsonSerializable(typeof(MmReport))]
[JsonSerializable(typeof(PagingReport))]
internal sealed partial class ReportJsonContext : JsonSerializerContext;
