using System.Text.Json.Serialization;

namespace Faultline.Cli.Processes;

/// <summary>The lines between the processes of a run.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PagerJob))]
[JsonSerializable(typeof(CloneJob))]
[JsonSerializable(typeof(ChildMessage))]
internal sealed partial class ProcessJson : JsonSerializerContext;
