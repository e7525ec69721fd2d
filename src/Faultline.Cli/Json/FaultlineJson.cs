using System.Text.Json.Serialization;

namespace Faultline.Cli.Json;

/// <summary>The documents that commands print with <c>--json</c>. Writers are generated at build time: no reflection, and a fast start.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
[JsonSerializable(typeof(RestoreDocument))]
[JsonSerializable(typeof(ErrorDocument))]
internal sealed partial class FaultlineJson : JsonSerializerContext;
