using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

/// <summary>The commands under <c>image</c>, and restores from what they make.</summary>
public sealed class ImageTests
{
    [Fact]
    public async Task Create_AnImage_ThatCanBeInspectedVerifiedAndExtracted()
    {
        using var folder = new TestFolder();
        string plain = folder.Image(300);
        string image = folder.File("a.flt");
        JsonElement created = (await RunAsync(folder, 0, "create", plain, image, "--chunk", "16K", "--json")).Json();
        Assert.Equal(300 * 4096, created.GetProperty("lengthBytes").GetInt64());
        Assert.Equal(new FileInfo(image).Length, created.GetProperty("fileBytes").GetInt64());
        string digest = created.GetProperty("digest").GetString()!;

        JsonElement inspected = (await RunAsync(folder, 0, "inspect", image, "--json")).Json();
        Assert.Equal("flt", inspected.GetProperty("kind").GetString());
        JsonElement layer = Assert.Single(inspected.GetProperty("layers").EnumerateArray().ToArray());
        Assert.Equal(digest, layer.GetProperty("digest").GetString());
        Assert.Equal(75, layer.GetProperty("rawChunks").GetInt64() + layer.GetProperty("compressedChunks").GetInt64());

        Assert.Contains("is what its digest says", (await RunAsync(folder, 0, "verify", image, "--digest", digest)).Output, StringComparison.Ordinal);
        string copy = folder.File("copy.img");
        await RunAsync(folder, 0, "extract", image, copy);
        Assert.Equal(await File.ReadAllBytesAsync(plain, Cancellation), await File.ReadAllBytesAsync(copy, Cancellation));
    }

    [Fact]
    public async Task Create_Layers_DiffShowsWhatTheyHold_AndRebaseFlattensThem()
    {
        using var folder = new TestFolder();
        string plain = folder.Image(256);
        await RunAsync(folder, 0, "create", plain, folder.File("0.flt"), "--chunk", "4K");
        byte[] bytes = await File.ReadAllBytesAsync(plain, Cancellation);
        for (int layer = 1; layer <= 3; layer++)
        {
            bytes[(layer * 40_960) + 5] ^= 1;
            await File.WriteAllBytesAsync(plain, bytes, Cancellation);
            JsonElement made = (await RunAsync(
                folder, 0, "create", plain, folder.File($"{layer}.flt"), "--base", folder.File($"{layer - 1}.flt"), "--json")).Json();
            Assert.Equal($"{layer - 1}.flt", made.GetProperty("base").GetString());
            Assert.Equal(1, made.GetProperty("storedChunks").GetInt64());
        }

        JsonElement diff = (await RunAsync(folder, 1, "diff", folder.File("0.flt"), folder.File("3.flt"), "--json")).Json();
        Assert.True(diff.GetProperty("byIndex").GetBoolean());
        Assert.Equal([40_960L, 81_920L, 122_880L], diff.GetProperty("ranges").EnumerateArray().Select(static range => range.GetProperty("offsetBytes").GetInt64()));

        // In place: the layer becomes an image that stands alone, with the digest it had.
        string digest = (await InspectAsync(folder, "3.flt")).Digests[0];
        await RunAsync(folder, 0, "rebase", folder.File("3.flt"), folder.File("3.flt"));
        File.Delete(folder.File("0.flt"));
        Assert.Equal([digest], (await InspectAsync(folder, "3.flt")).Digests);
        await RunAsync(folder, 0, "verify", folder.File("3.flt"));
        await RunAsync(folder, 0, "diff", folder.File("3.flt"), plain);

        // And onto another base.
        File.Move(folder.File("3.flt"), folder.File("new-base.flt"));
        JsonElement moved = (await RunAsync(
            folder, 0, "rebase", folder.File("new-base.flt"), folder.File("moved.flt"), "--base", folder.File("new-base.flt"), "--json")).Json();
        Assert.Equal(0, moved.GetProperty("storedChunks").GetInt64());
        Assert.Equal([digest, digest], (await InspectAsync(folder, "moved.flt")).Digests);
    }

    /// <summary>As an operator would: a base, then one layer each time the memory has changed; and one image of all of it at the end.</summary>
    [Theory]
    [InlineData("linux")]
    [InlineData("managed")]
    public async Task Rebase_AChainOfTenLayers_IsOneImageWithTheSameBytes(string engine)
    {
        const int Layers = 10;
        const int PagesOfImage = 512;
        using var folder = new TestFolder();
        string plain = folder.Image(PagesOfImage);
        byte[] bytes = await File.ReadAllBytesAsync(plain, Cancellation);
        await RunAsync(folder, 0, "create", plain, folder.File("0.flt"), "--chunk", "4K");
        var random = new Random(10);
        for (int layer = 1; layer < Layers; layer++)
        {
            // Each layer changes a part of its own, one page that all change, and makes a page zero.
            random.NextBytes(bytes.AsSpan(layer * 10 * 4096, 5 * 4096));
            random.NextBytes(bytes.AsSpan(500 * 4096, 4096));
            bytes.AsSpan((300 + layer) * 4096, 4096).Clear();
            await File.WriteAllBytesAsync(plain, bytes, Cancellation);
            await RunAsync(folder, 0, "create", plain, folder.File($"{layer}.flt"), "--base", folder.File($"{layer - 1}.flt"));
        }

        JsonElement[] chain = [.. (await RunAsync(folder, 0, "inspect", folder.File("9.flt"), "--json")).Json().GetProperty("layers").EnumerateArray()];
        Assert.Equal(
            Enumerable.Range(0, Layers).Select(static layer => $"{Layers - 1 - layer}.flt"),
            chain.Select(static layer => Path.GetFileName(layer.GetProperty("name").GetString()!)),
            StringComparer.Ordinal);
        Assert.All(chain[..^1], static layer => Assert.Equal(6, layer.GetProperty("rawChunks").GetInt64() + layer.GetProperty("compressedChunks").GetInt64()));
        string digest = chain[0].GetProperty("digest").GetString()!;

        ToolResult restored = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.File("9.flt"), "--clones", "2", "--verify", "--write", "5%", "--engine", engine, "--json");
        Assert.SkipWhen(restored.ExitCode == 3, restored.Errors);
        Assert.True(restored.ExitCode == 0, restored.Errors);
        Assert.True(restored.Json().GetProperty("verified").GetBoolean());

        await RunAsync(folder, 0, "rebase", folder.File("9.flt"), folder.File("flat.flt"));
        for (int layer = 0; layer < Layers; layer++)
        {
            File.Delete(folder.File($"{layer}.flt"));
        }

        Assert.Equal([digest], (await InspectAsync(folder, "flat.flt")).Digests);
        await RunAsync(folder, 0, "verify", folder.File("flat.flt"), "--digest", digest);
        await RunAsync(folder, 0, "extract", folder.File("flat.flt"), folder.File("flat.img"));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(folder.File("flat.img"), Cancellation));
    }

    [Theory]
    [InlineData(1, "verify", "a.flt")]
    [InlineData(1, "extract", "a.flt", "out.img")]
    public async Task Read_ADamagedImage_IsOneSentenceThatNamesImageAndRange(int exitCode, params string[] arguments)
    {
        using var folder = new TestFolder();
        await RunAsync(folder, 0, "create", folder.Image(64), folder.File("a.flt"), "--compress", "none");
        using (FileStream file = File.Open(folder.File("a.flt"), FileMode.Open))
        {
            file.Position = 70_000;
            int was = file.ReadByte();
            file.Position = 70_000;
            file.WriteByte((byte)(was ^ 4));
        }

        ToolResult result = await RunAsync(folder, exitCode, [arguments[0], .. arguments.Skip(1).Select(folder.File)]);
        result.AssertOneSentence();
        Assert.Contains("0x10000 to 0x20000", result.Errors, StringComparison.Ordinal);
        Assert.Contains("'a.flt'", result.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("out.img")));
        Assert.Empty(Directory.GetFiles(folder.Path, ".*"));
    }

    [Theory]
    [InlineData("create", "missing.img", "a.flt")]
    [InlineData("create", "image.img", "no-folder/a.flt")]
    [InlineData("create", "image.img", "a.flt", "--chunk", "5K")]
    [InlineData("create", "image.img", "a.flt", "--chunk", "1024")]
    [InlineData("create", "image.img", "a.flt", "--compress", "zip")]
    [InlineData("create", "image.img", "a.flt", "--level", "20")]
    [InlineData("create", "image.img", "a.flt", "--base", "image.img")]
    [InlineData("create", "image.img", "a.flt", "--base", "../elsewhere.flt")]
    [InlineData("create", "image.img", "a.flt", "--base", "http://127.0.0.1:1/x.flt")]
    [InlineData("rebase", "image.img", "a.flt")]
    [InlineData("inspect", "cut.flt")]
    [InlineData("inspect", "gopher://127.0.0.1/x")]
    [InlineData("verify", "image.img", "--digest", "md5:1")]
    public async Task Image_BadInput_SaysSoInOneSentence(params string[] arguments)
    {
        using var folder = new TestFolder();
        folder.Image(4);
        await File.WriteAllBytesAsync(folder.File("cut.flt"), [0x89, (byte)'F', (byte)'L', (byte)'T', 0x0D, 0x0A, 0x1A, 0x0A, 1, 0], Cancellation);
        ToolResult result = await ToolProcess.RunAsync(folder.Path, ["image", .. arguments]);
        result.AssertRefused(2);
        Assert.False(File.Exists(folder.File("a.flt")));
    }

    [Fact]
    public async Task Create_OverAnImageOfItsOwnBase_IsRefused()
    {
        using var folder = new TestFolder();
        string plain = folder.Image(16);
        await RunAsync(folder, 0, "create", plain, folder.File("0.flt"));
        await RunAsync(folder, 0, "create", plain, folder.File("1.flt"), "--base", folder.File("0.flt"));
        ToolResult result = await RunAsync(folder, 2, "create", plain, folder.File("0.flt"), "--base", folder.File("1.flt"));
        result.AssertOneSentence();
    }

    [Theory]
    [InlineData("linux")]
    [InlineData("managed")]
    public async Task Restore_FromALayer_IsVerified(string engine)
    {
        using var folder = new TestFolder();
        string plain = folder.Image(600);
        await RunAsync(folder, 0, "create", plain, folder.File("0.flt"));
        byte[] bytes = await File.ReadAllBytesAsync(plain, Cancellation);
        bytes[1_000_000] ^= 1;
        await File.WriteAllBytesAsync(plain, bytes, Cancellation);
        await RunAsync(folder, 0, "create", plain, folder.File("1.flt"), "--base", folder.File("0.flt"));
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.File("1.flt"), "--clones", "2", "--verify", "--write", "5%", "--engine", engine, "--json");
        Assert.SkipWhen(result.ExitCode == 3, result.Errors);
        Assert.Equal(0, result.ExitCode);
        Assert.True(result.Json().GetProperty("verified").GetBoolean());
    }

    [Theory]
    [InlineData("linux")]
    [InlineData("managed")]
    public async Task Restore_FromAWebServerWithACache_IsVerified_AndReadsNothingTheSecondTime(string engine)
    {
        using var folder = new TestFolder();
        string plain = folder.Image(600);
        await RunAsync(folder, 0, "create", plain, folder.File("0.flt"));
        byte[] bytes = await File.ReadAllBytesAsync(plain, Cancellation);
        bytes[1_000_000] ^= 1;
        await File.WriteAllBytesAsync(plain, bytes, Cancellation);
        await RunAsync(folder, 0, "create", plain, folder.File("1.flt"), "--base", folder.File("0.flt"));
        await using var server = new RangeServer(folder.Path);
        string[] command =
            ["restore", server.Address + "1.flt", "--clones", "2", "--verify", "--engine", engine, "--cache", folder.File("cache"), "--cache-size", "64M", "--json"];
        ToolResult first = await ToolProcess.RunAsync(folder.Path, command);
        Assert.SkipWhen(first.ExitCode == 3, first.Errors);
        Assert.True(first.ExitCode == 0, first.Errors);
        Assert.True(first.Json().GetProperty("verified").GetBoolean());
        long before = server.BytesSent;
        Assert.InRange(before, 600 * 4096 / 2, 600 * 4096 * 2);

        ToolResult second = await ToolProcess.RunAsync(folder.Path, command);
        Assert.True(second.ExitCode == 0, second.Errors);
        Assert.True(second.Json().GetProperty("verified").GetBoolean());

        // Opening asks for one byte of each file; everything else is in the cache.
        Assert.InRange(server.BytesSent - before, 1, 20);
    }

    [Fact]
    public async Task Restore_FromAnAddressNobodyServes_SaysSoInOneSentence()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", "http://127.0.0.1:1/vm.flt?signature=secret");
        result.AssertRefused(2);
        Assert.Contains("http://127.0.0.1:1/vm.flt could not be opened", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eager")]
    [InlineData("mmap")]
    public async Task Restore_ComparedWithWhatNeedsAPlainFile_SaysSo(string way)
    {
        using var folder = new TestFolder();
        await RunAsync(folder, 0, "create", folder.Image(16), folder.File("a.flt"));
        (await ToolProcess.RunAsync(folder.Path, "restore", folder.File("a.flt"), "--compare", way)).AssertRefused(2);
    }

    private static System.Threading.CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<ToolResult> RunAsync(TestFolder folder, int exitCode, params IEnumerable<string> arguments)
    {
        ToolResult result = await ToolProcess.RunAsync(folder.Path, ["image", .. arguments]);
        Assert.True(result.ExitCode == exitCode, $"Exit code {result.ExitCode}: {result.Errors}{result.Output}");
        return result;
    }

    private static async Task<(string Kind, string[] Digests)> InspectAsync(TestFolder folder, string name)
    {
        JsonElement document = (await RunAsync(folder, 0, "inspect", folder.File(name), "--json")).Json();
        string[] digests = [.. document.GetProperty("layers").EnumerateArray().Select(static layer => layer.GetProperty("digest").GetString()!)];
        return (document.GetProperty("kind").GetString()!, digests);
    }
}
