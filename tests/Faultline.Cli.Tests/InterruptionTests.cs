using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

/// <summary>What happens when processes of a run end before their time.</summary>
public sealed class InterruptionTests
{
    public InterruptionTests() => MainJob.Need();

    /// <summary>Big enough that a run over it takes a while.</summary>
    private const long ImageBytes = 2L << 30;

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Restore_Interrupted_EndsEveryProcessAndRemovesEveryFile(string signal, int exitCode)
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder, "--clones", "3");
        IReadOnlyList<int> processes = [.. await tool.WaitForWorkingClonesAsync(3, ImageBytes), .. tool.Children("pager")];
        Assert.Equal(4, processes.Count);
        tool.Signal(signal);
        ToolResult result = await tool.WaitAsync();
        Assert.Equal(exitCode, result.ExitCode);
        result.AssertOneSentence();
        Assert.DoesNotContain("clones of", result.Output, StringComparison.Ordinal);
        await tool.AssertNothingIsLeftAsync(processes);
    }

    [Fact]
    public async Task Restore_ToolKilled_ItsProcessesEndAndRemoveTheFiles()
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder, "--clones", "3");
        IReadOnlyList<int> processes = [.. await tool.WaitForWorkingClonesAsync(3, ImageBytes), .. tool.Children("pager")];
        tool.Signal("KILL");
        await tool.WaitAsync();
        await tool.AssertNothingIsLeftAsync(processes);
    }

    [Fact]
    public async Task Restore_CloneKilled_TheOthersFinishAndTheSentenceNamesIt()
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder, "--clones", "3", "--json");
        IReadOnlyList<int> clones = await tool.WaitForWorkingClonesAsync(3, ImageBytes);
        ToolProcess.Signal(clones[0], "KILL");
        ToolResult result = await tool.WaitAsync();
        Assert.Equal(1, result.ExitCode);
        result.AssertOneSentence();
        Assert.Contains($"(process {clones[0]}) was killed by signal 9", result.Errors, StringComparison.Ordinal);
        JsonElement json = result.Json();
        Assert.False(json.GetProperty("verified").GetBoolean());
        Assert.Equal(2, json.GetProperty("perClone").EnumerateArray().Count(static clone => clone.GetProperty("verified").GetBoolean()));
        await tool.AssertNothingIsLeftAsync(clones);
    }

    [Fact]
    public async Task Restore_PagerKilled_TheRunEndsWithASentence()
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder, "--clones", "2");
        IReadOnlyList<int> clones = await tool.WaitForWorkingClonesAsync(2, ImageBytes);
        int pager = Assert.Single(tool.Children("pager"));
        ToolProcess.Signal(pager, "KILL");
        ToolResult result = await tool.WaitAsync();
        Assert.Equal(1, result.ExitCode);
        result.AssertOneSentence();
        Assert.Contains($"The pager (process {pager}) was killed by signal 9", result.Errors, StringComparison.Ordinal);
        await tool.AssertNothingIsLeftAsync([.. clones, pager]);
    }

    [Fact]
    public async Task Restore_ImageCutShortMeanwhile_TheRunEndsWithSentencesAndNoZeroes()
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder, "--clones", "2");
        await tool.WaitForWorkingClonesAsync(2, ImageBytes);
        await using (var image = new FileStream(folder.File("zero.img"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            image.SetLength(0);
        }

        ToolResult result = await tool.WaitAsync();
        Assert.Equal(1, result.ExitCode);
        result.AssertNoStackTrace();
        Assert.Contains("cannot be had", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Verified", result.Output, StringComparison.Ordinal);
        await tool.AssertNothingIsLeftAsync([]);
    }

    [Fact]
    public async Task Restore_ImageChangedMeanwhile_VerificationFails()
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder, "--clones", "2", "--json");
        await tool.WaitForWorkingClonesAsync(2, ImageBytes);
        await using (var image = new FileStream(folder.File("zero.img"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            const long Distance = 1 << 20;
            for (long offset = 0; offset < ImageBytes; offset += Distance)
            {
                image.Position = offset;
                image.WriteByte(1);
            }
        }

        ToolResult result = await tool.WaitAsync();
        Assert.Equal(1, result.ExitCode);
        result.AssertNoStackTrace();
        JsonElement json = result.Json();
        Assert.False(json.GetProperty("verified").GetBoolean());
        Assert.Equal("failed", json.GetProperty("verification").GetString());
        Assert.Contains("differs from the image", result.Errors, StringComparison.Ordinal);
    }

    private static ToolProcess StartLongRun(TestFolder folder, params string[] arguments) =>
        ToolProcess.Start(folder.Path, ["restore", folder.EmptyImage(ImageBytes), "--pattern", "random", "--verify", .. arguments]);
}
