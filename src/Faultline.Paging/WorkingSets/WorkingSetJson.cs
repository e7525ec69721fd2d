using System.Text.Json.Serialization;

namespace Faultline.Paging;

/// <summary>Serialization without reflection, for ahead-of-time compilation.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WorkingSetDocument))]
internal sealed partial class WorkingSetJson : JsonSerializerContext;
