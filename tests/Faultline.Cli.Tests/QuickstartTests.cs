using System.IO;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

public sealed class QuickstartTests
{
    [Fact]
    public async Task Quickstart_OnTheManagedEngine_RestoresFourClonesWithWhatCanBeCompared()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "quickstart", "--engine", "managed", "--json");
        Assert.True(result.ExitCode == 0, result.Errors);
        JsonElement json = result.Json();
        Assert.True(json.GetProperty("verified").GetBoolean());
        Assert.Equal("managed", json.GetProperty("engine").GetString());
        long imageBytes = json.GetProperty("imageBytes").GetInt64();
        Assert.InRange(json.GetProperty("totalPssBytes").GetInt64(), imageBytes / 2, (long)(imageBytes * 1.17));
        Assert.True(json.GetProperty("compare").GetProperty("copy").GetProperty("totalPssBytes").GetInt64() > 2 * imageBytes);
        Assert.Equal("faultline-quickstart.html", Assert.Single(new DirectoryInfo(folder.Path).GetFileSystemInfos()).Name);
    }

    [Fact]
    public async Task Quickstart_NoArguments_RestoresFourClonesWithEveryComparison()
    {
        MainJob.Need();
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "quickstart", "--json");
        Assert.True(result.ExitCode == 0, result.Errors);
        JsonElement json = result.Json();
        Assert.True(json.GetProperty("verified").GetBoolean());
        Assert.Equal(4, json.GetProperty("clones").GetInt32());
        long imageBytes = json.GetProperty("imageBytes").GetInt64();
        Assert.Equal(256L << 20, imageBytes);

        // Each clone writes 2 % of the pages, which are its own from then on.
        Assert.InRange(json.GetProperty("totalPssBytes").GetInt64(), imageBytes / 2, (long)(imageBytes * 1.17));
        Assert.True(json.GetProperty("compare").GetProperty("copy").GetProperty("totalPssBytes").GetInt64() > 2 * imageBytes);
        Assert.True(json.GetProperty("compare").TryGetProperty("eager", out _));
        Assert.True(json.GetProperty("compare").TryGetProperty("mmap", out _));
        Assert.Equal(Path.Combine(folder.Path, "faultline-quickstart.html"), json.GetProperty("report").GetString());
        Assert.Equal("faultline-quickstart.html", Assert.Single(new DirectoryInfo(folder.Path).GetFileSystemInfos()).Name);
    }
}
