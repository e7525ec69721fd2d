using System;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Faultline.Cli.Output;

/// <summary>Prints the one JSON document of a command.</summary>
internal static class JsonOutput
{
    public static void Write<T>(T document, JsonTypeInfo<T> type)
    {
        using Stream output = Console.OpenStandardOutput();
        JsonSerializer.Serialize(output, document, type);
        output.WriteByte((byte)'\n');
    }
}
