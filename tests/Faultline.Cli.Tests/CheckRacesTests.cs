using System;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

public sealed class CheckRacesTests
{
    [Fact]
    public async Task CheckRaces_Canaries_AreCaughtAndTheirLinesReplayToTheSameFailure()
    {
        using var folder = new TestFolder();

        // It ends when the search is complete, which takes less than a second unless others have the processors.
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "check", "races", "--seconds", "100", "--scenario", "CopyVersusZap", "--json");
        Assert.True(result.ExitCode == 0, result.Errors);
        JsonElement json = result.Json();
        Assert.Equal(0, json.GetProperty("canariesSurvived").GetInt32());
        JsonElement scenario = Assert.Single(json.GetProperty("scenarios").EnumerateArray());
        Assert.True(scenario.GetProperty("complete").GetBoolean());
        Assert.NotEqual(0, scenario.GetProperty("schedules").GetInt64());

        // One for each kind of failure is enough: each replay is a process.
        JsonElement.ArrayEnumerator canaries = json.GetProperty("canaries").EnumerateArray();
        JsonElement[] kinds = [.. canaries.DistinctBy(static canary => canary.GetProperty("expected").GetString(), StringComparer.Ordinal)];
        Assert.True(kinds.Length >= 6);
        foreach (JsonElement canary in kinds)
        {
            JsonElement failure = canary.GetProperty("failure");
            ToolResult again = await ToolProcess.RunAsync(
                folder.Path, "check", "races", "--scenario", canary.GetProperty("name").GetString()!, "--replay", failure.GetProperty("replay").GetString()!);
            Assert.Equal(1, again.ExitCode);
            Assert.Equal($"{failure.GetProperty("kind").GetString()}: {failure.GetProperty("message").GetString()}", again.Output.Trim());
        }
    }

    [Fact]
    public async Task CheckRaces_ReplayOfAnUnknownScenario_SaysWhichThereAre()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "check", "races", "--scenario", "Nothing", "--replay", "01");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("CopyVersusZap", result.Errors, StringComparison.Ordinal);
    }
}
