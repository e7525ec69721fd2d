using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

public sealed class DoctorTests
{
    [Fact]
    public async Task Doctor_Json_IsOneDocumentThatAgreesWithTheExitCode()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "doctor", "--json");
        JsonElement json = result.Json();
        bool canRun = json.GetProperty("canRun").GetBoolean();
        Assert.Equal(canRun ? 0 : 3, result.ExitCode);
        Assert.Equal(canRun ? "linux" : "managed", json.GetProperty("defaultEngine").GetString());
        Assert.Empty(result.Errors);
        JsonElement[] checks = [.. json.GetProperty("checks").EnumerateArray()];
        Assert.Equal(canRun, checks.All(static check => check.GetProperty("ok").GetBoolean() || !check.GetProperty("required").GetBoolean()));
        foreach (string feature in (string[])["MINOR_SHMEM", "MISSING_SHMEM", "POISON", "MOVE", "WP_ASYNC"])
        {
            Assert.Single(checks, check => check.GetProperty("name").GetString() == "feature " + feature);
        }
    }

    [Theory]
    [InlineData("doctor")]
    [InlineData("quickstart --engine linux")]
    [InlineData("restore image --engine linux")]
    public async Task AnyCommand_WithoutRights_SaysTheWayToGetThem(string arguments)
    {
        Assert.SkipUnless(
            (await System.IO.File.ReadAllTextAsync("/proc/sys/vm/unprivileged_userfaultfd", TestContext.Current.CancellationToken)).Trim() == "0",
            "sysctl vm.unprivileged_userfaultfd is 1: everybody has the rights.");
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsNobodyAsync(folder.Path, arguments.Split(' '));
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("vm.unprivileged_userfaultfd=1", result.Output + result.Errors, System.StringComparison.Ordinal);
        Assert.Contains("managed", result.Output + result.Errors, System.StringComparison.Ordinal);
        result.AssertNoStackTrace();
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Doctor_EachNo_HasOneSentenceOfAdvice()
    {
        using var folder = new TestFolder();
        ToolResult json = await ToolProcess.RunAsync(folder.Path, "doctor", "--json");
        ToolResult text = await ToolProcess.RunAsync(folder.Path, "doctor");
        Assert.Equal(json.ExitCode, text.ExitCode);
        foreach (JsonElement check in json.Json().GetProperty("checks").EnumerateArray())
        {
            bool isOk = check.GetProperty("ok").GetBoolean();
            Assert.NotEqual(isOk, check.TryGetProperty("advice", out JsonElement advice));
            if (!isOk)
            {
                Assert.EndsWith(".", advice.GetString(), System.StringComparison.Ordinal);
                Assert.Contains(advice.GetString()!, OnOneLine(text.Output), System.StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Undoes the wrapping of long sentences.</summary>
    private static string OnOneLine(string text) => string.Join(' ', text.Split((char[]?)null, System.StringSplitOptions.RemoveEmptyEntries));
}
