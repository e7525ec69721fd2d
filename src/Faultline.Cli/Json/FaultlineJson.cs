using System.Text.Json.Serialization;

namespace Faultline.Cli.Json;

/// <summary>The documents that commands print with <c>--json</c>. Writers are generated at build time: no reflection, and a fast start.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
[JsonSerializable(typeof(RestoreDocument))]
[JsonSerializable(typeof(CheckKernelDocument))]
[JsonSerializable(typeof(RacesDocument))]
[JsonSerializable(typeof(CheckReviewDocument))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(ImageWrittenDocument))]
[JsonSerializable(typeof(ImageInspectDocument))]
[JsonSerializable(typeof(ImageVerifyDocument))]
[JsonSerializable(typeof(ImageExtractDocument))]
[JsonSerializable(typeof(ImageDiffDocument))]
internal sealed partial class FaultlineJson : JsonSerializerContext;
