using System.IO;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

public sealed class BadInputTests
{
    private const int BadInput = 2;

    [Theory]
    [InlineData("--clones", "0")]
    [InlineData("--clones", "-1")]
    [InlineData("--clones", "many")]
    [InlineData("--clones", "1000000")]
    [InlineData("--touch", "0%")]
    [InlineData("--touch", "101%")]
    [InlineData("--touch", "half")]
    [InlineData("--write", "-3%")]
    [InlineData("--write", "NaN")]
    [InlineData("--pattern", "backwards")]
    [InlineData("--pattern", "trace")]
    [InlineData("--handlers", "0")]
    [InlineData("--seed", "x")]
    [InlineData("--compare", "everything")]
    [InlineData("--report", "no-such-folder/report.html")]
    [InlineData("--trace", "no-such-trace")]
    [InlineData("--cache-size", "10X")]
    [InlineData("--cache-size", "1K")]
    [InlineData("--frobnicate", "1")]
    public async Task Restore_WrongOption_SaysSoInOneSentence(string option, string value)
    {
        using var folder = new TestFolder();
        string image = folder.Image(4);
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", image, option, value);
        result.AssertRefused(BadInput);
        Assert.Empty(Directory.GetDirectories(folder.Path));
    }

    [Theory]
    [InlineData("faults", "6")]
    [InlineData("restore", "0")]
    [InlineData("restore", "many")]
    public async Task Bench_WrongRounds_SaysSoInOneSentence(string benchmark, string rounds)
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "bench", benchmark, "--rounds", rounds);
        result.AssertRefused(BadInput);
    }

    [Fact]
    public async Task Restore_NoImage_SaysSo()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore");
        result.AssertRefused(BadInput);
    }

    [Fact]
    public async Task Restore_MissingImage_SaysSo()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.File("missing.img"), "--clones", "2");
        result.AssertRefused(BadInput);
        Assert.Contains("does not exist", result.Errors, System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_Folder_SaysSo()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.Path, "--clones", "2");
        result.AssertRefused(BadInput);
        Assert.Contains("is a directory", result.Errors, System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_Device_SaysSo()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", "/dev/zero", "--clones", "2");
        result.AssertRefused(BadInput);
    }

    [Fact]
    public async Task Restore_EmptyImage_SaysSo()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.EmptyImage(0), "--clones", "2");
        result.AssertRefused(BadInput);
        Assert.Contains("is empty", result.Errors, System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_ImageThatIsNoMultipleOfAPage_SaysSoAndHowToGetOne()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.EmptyImage(5000), "--clones", "2");
        result.AssertRefused(BadInput);
        Assert.Contains("5000", result.Errors, System.StringComparison.Ordinal);
        Assert.Contains("truncate -s %4096", result.Errors, System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_ImageWithoutPermission_SaysSo()
    {
        using var folder = new TestFolder();
        string image = folder.Image(4);
        File.SetUnixFileMode(image, UnixFileMode.None);
        ToolResult result = await ToolProcess.RunAsNobodyAsync(folder.Path, "restore", image, "--clones", "2");
        result.AssertRefused(BadInput);
        Assert.Contains("permission", result.Errors, System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_MoreMemoryThanThereIs_SaysSo()
    {
        MainJob.Need();
        using var folder = new TestFolder();
        string image = folder.EmptyImage(1L << 40);
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", image, "--clones", "200", "--compare", "eager");
        result.AssertRefused(BadInput);
        Assert.Contains("available", result.Errors, System.StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("12x", "Line 1")]
    [InlineData("0\n1\n99", "Line 3")]
    [InlineData("# nothing", "names no page")]
    public async Task Restore_BadTrace_NamesTheLine(string trace, string words)
    {
        using var folder = new TestFolder();
        await File.WriteAllTextAsync(folder.File("trace"), trace, TestContext.Current.CancellationToken);
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.Image(4), "--trace", folder.File("trace"));
        result.AssertRefused(BadInput);
        Assert.Contains(words, result.Errors, System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_BadInputWithJson_PrintsOneDocument()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.File("missing.img"), "--json");
        Assert.Equal(BadInput, result.ExitCode);
        result.AssertOneSentence();
        JsonElement json = result.Json();
        Assert.Equal(BadInput, json.GetProperty("exitCode").GetInt32());
        Assert.Contains("does not exist", json.GetProperty("error").GetString(), System.StringComparison.Ordinal);
    }

    [Fact]
    public async Task Internal_ByHand_IsRefused()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "internal", "nothing");
        Assert.Equal(BadInput, result.ExitCode);
        result.AssertOneSentence();
    }
}
