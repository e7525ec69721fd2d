using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What an image file holds, what it costs, and when it is there.</summary>
public sealed class ImageFileTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Create_Zeroes_CostNothing()
    {
        ImageWritten written = await CreateAsync("zero.flt", new ZeroPageStore(1UL << 30));
        Assert.Equal(1 << 14, written.ZeroChunks);
        Assert.InRange(new FileInfo(_folder.File("zero.flt")).Length, 1, 1024);
        using ImagePageStore image = await OpenAsync("zero.flt");
        Assert.Equal(1UL << 30, image.Length);
        Assert.All(await image.BytesAsync(123_456_789, 1000), static value => Assert.Equal(0, value));
    }

    [Fact]
    public async Task Create_EqualChunks_AreStoredOnce()
    {
        byte[] chunk = new byte[65536];
        new Random(1).NextBytes(chunk);
        ImageWritten written = await CreateAsync("same.flt", new MemoryPageStore(Enumerable.Repeat(chunk, 20).SelectMany(static bytes => bytes).ToArray()));
        Assert.Equal((1, 19), (written.StoredChunks, written.SharedChunks));
        Assert.InRange(new FileInfo(_folder.File("same.flt")).Length, 65536, 68000);
    }

    [Fact]
    public async Task Create_Text_BecomesSmaller_AndRandomBytesDoNotGrow()
    {
        byte[] bytes = Sample.Bytes(1 << 20);
        ImageWritten packed = await CreateAsync("packed.flt", new MemoryPageStore(bytes));
        ImageWritten plain = await CreateAsync("plain.flt", new MemoryPageStore(bytes), new ImageWriterOptions { Compression = ImageCompression.None });
        Assert.True(packed.FileLength < plain.FileLength * 3 / 4, $"{packed.FileLength} of {plain.FileLength}");
        Assert.InRange(plain.FileLength, 0UL, (1UL << 20) + 4096);
        Assert.Equal(plain.Digest, packed.Digest);
    }

    [Fact]
    public async Task Digest_DependsOnContentsAlone()
    {
        byte[] bytes = Sample.Bytes(500_000);
        byte[] before = Sample.Changed(bytes, 3);
        ImageWritten alone = await CreateAsync("alone.flt", new MemoryPageStore(bytes));
        await CreateAsync("base.flt", new MemoryPageStore(before));
        using ImagePageStore below = await OpenAsync("base.flt");
        ImageWritten layer = await CreateAsync("layer.flt", new MemoryPageStore(bytes), new ImageWriterOptions { Base = below, BaseName = "base.flt" });
        Assert.Equal(alone.Digest, layer.Digest);
        Assert.NotEqual(alone.Digest, below.Digest);
        Assert.True(layer.InheritedChunks >= 4, $"{layer.InheritedChunks}");
        Assert.True(ImageDigest.TryParse(alone.Digest.ToString(), out ImageDigest parsed) && parsed == alone.Digest);
    }

    [Fact]
    public async Task Chain_OfTenLayers_ReadsAsTheLast_AndFlattensToItsDigest()
    {
        byte[] bytes = Sample.Bytes(Sample.OddLength);
        await CreateAsync("0.flt", new MemoryPageStore(bytes), new ImageWriterOptions { ChunkBytes = 8192 });
        for (int layer = 1; layer <= 10; layer++)
        {
            bytes = Sample.Changed(bytes, layer, places: 5);
            using ImagePageStore below = await OpenAsync($"{layer - 1}.flt");
            await CreateAsync($"{layer}.flt", new MemoryPageStore(bytes), new ImageWriterOptions { Base = below, BaseName = $"{layer - 1}.flt" });
        }

        using ImagePageStore top = await OpenAsync("10.flt");
        Reading.AssertSame(bytes, await top.AllAsync());
        ImageWritten flat = await CreateAsync("flat.flt", top, new ImageWriterOptions { ChunkBytes = 8192 });
        Assert.Equal(top.Digest, flat.Digest);
        Assert.Equal(0, flat.InheritedChunks);
        using ImagePageStore alone = await OpenAsync("flat.flt");
        Reading.AssertSame(bytes, await alone.AllAsync());
    }

    [Fact]
    public async Task Append_InheritedAndZeroesAndBytes_MakeALayer()
    {
        byte[] bytes = Sample.Bytes(10 * 65536 + 17);
        await CreateAsync("base.flt", new MemoryPageStore(bytes));
        using ImagePageStore below = await OpenAsync("base.flt");
        using (var writer = new ImageWriter(_folder.File("layer.flt"), new ImageWriterOptions { Base = below, BaseName = "base.flt" }))
        {
            await writer.AppendInheritedAsync(3 * 65536, TestContext.Current.CancellationToken);
            await writer.AppendZeroesAsync(65536 + 100, TestContext.Current.CancellationToken);
            await writer.AppendAsync(bytes.AsMemory(5, 65536 - 100), TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.AppendInheritedAsync(100));
            await writer.AppendInheritedAsync((5 * 65536) + 17, TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.AppendAsync(new byte[1]));
            await writer.CommitAsync(TestContext.Current.CancellationToken);
        }

        bytes.AsSpan(5, 65536 - 100).ToArray().CopyTo(bytes, (4 * 65536) + 100);
        bytes.AsSpan(3 * 65536, 65536 + 100).Clear();
        using ImagePageStore layer = await OpenAsync("layer.flt");
        Reading.AssertSame(bytes, await layer.AllAsync());
    }

    [Fact]
    public async Task Write_NotCommitted_LeavesWhatWasThere()
    {
        string path = _folder.File("kept.flt", [1, 2, 3]);
        using (var writer = new ImageWriter(path))
        {
            await writer.AppendAsync(Sample.Bytes(300_000), TestContext.Current.CancellationToken);
            Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
        }

        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Open_ALargeImage_ReadsItsEndsOnly()
    {
        byte[] random = new byte[32 << 20];
        new Random(4).NextBytes(random);
        await CreateAsync("large.flt", new MemoryPageStore(random));
        var file = new FlakyStore(await File.ReadAllBytesAsync(_folder.File("large.flt"), TestContext.Current.CancellationToken));
        using ImagePageStore image = await ImagePageStore.OpenAsync(file, "large.flt", cancellationToken: TestContext.Current.CancellationToken);
        Assert.InRange(file.Reads.Sum(static read => read.Length), 1, 70_000);
        Assert.InRange(file.Reads.Count, 1, 2);

        // A chunk costs its block of the index once, and then itself.
        file.ForgetReads();
        await image.BytesAsync(65536 * 100, 65536);
        await image.BytesAsync(65536 * 200, 65536);
        Assert.Equal(3, file.Reads.Count);
        file.ForgetReads();
        await image.BytesAsync(65536 * 300, 8 * 65536);
        Assert.Single(file.Reads);
    }

    [Fact]
    public async Task Base_ThatWasChanged_IsRefused()
    {
        byte[] bytes = Sample.Bytes(300_000);
        await CreateAsync("base.flt", new MemoryPageStore(bytes));
        using (ImagePageStore below = await OpenAsync("base.flt"))
        {
            await CreateAsync("layer.flt", new MemoryPageStore(Sample.Changed(bytes, 1)), new ImageWriterOptions { Base = below, BaseName = "base.flt" });
        }

        await CreateAsync("base.flt", new MemoryPageStore(Sample.Changed(bytes, 2)));
        ImageFormatException refused = await Assert.ThrowsAsync<ImageFormatException>(() => OpenAsync("layer.flt"));
        Assert.Contains("digest", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../x.flt")]
    [InlineData("a/../../x.flt")]
    [InlineData("http://elsewhere/x.flt")]
    [InlineData("a\\b")]
    [InlineData("")]
    public void BaseName_ThatLeadsElsewhere_IsRefused(string name) => Assert.NotNull(BaseName.FindFault(name));

    [Fact]
    public async Task Compare_FindsTheChangedChunks_ByIndexAndByContents()
    {
        byte[] bytes = Sample.Bytes(Sample.OddLength);
        byte[] changed = (byte[])bytes.Clone();
        changed[70_000] ^= 1;
        changed[140_000] ^= 1;
        changed[700_000] ^= 1;
        await CreateAsync("a.flt", new MemoryPageStore(bytes));
        await CreateAsync("b.flt", new MemoryPageStore(changed));
        using ImagePageStore left = await OpenAsync("a.flt");
        using ImagePageStore right = await OpenAsync("b.flt");
        ImageRange[] expected = [new(65536, 131072), new(655360, 65536)];
        ImageDifference byIndex = await ImageSurvey.CompareAsync(left, right, null, TestContext.Current.CancellationToken);
        Assert.True(byIndex.IsByIndex);
        Assert.Equal(expected, byIndex.Ranges);
        ImageDifference byContents = await ImageSurvey.CompareAsync(left, new MemoryPageStore(changed), null, TestContext.Current.CancellationToken);
        Assert.False(byContents.IsByIndex);
        Assert.Equal(expected, byContents.Ranges);
        Assert.Empty((await ImageSurvey.CompareAsync(left, left, null, TestContext.Current.CancellationToken)).Ranges);
    }

    [Fact]
    public async Task Verify_OneDamagedChunk_NamesIt()
    {
        byte[] bytes = Sample.Bytes(Sample.OddLength);
        await CreateAsync("a.flt", new MemoryPageStore(bytes), new ImageWriterOptions { Compression = ImageCompression.None });
        byte[] file = await File.ReadAllBytesAsync(_folder.File("a.flt"), TestContext.Current.CancellationToken);
        var store = new FlakyStore(file) { WrongByte = 64 + 1000 };
        using ImagePageStore image = await ImagePageStore.OpenAsync(store, "a.flt", cancellationToken: TestContext.Current.CancellationToken);
        IReadOnlyList<ImageDamage> damages = await ImageSurvey.VerifyAsync(image, image.ChunkBytes, null, TestContext.Current.CancellationToken);
        ImageDamage damage = Assert.Single(damages);
        Assert.Equal((0UL, 65536UL), (damage.Offset, damage.Length));
        Assert.Contains("checksum", damage.Reason, StringComparison.Ordinal);

        // The same store, sound again: nothing of the damage was kept.
        store.WrongByte = null;
        Reading.AssertSame(bytes, await image.AllAsync());
    }

    [Fact]
    public async Task Core_OfTwoSegments_ReadsAsTheirMemory()
    {
        byte[] first = Sample.Bytes(10_000);
        byte[] second = Sample.Bytes(4096, 2);
        byte[] dump = CoreFile.Make((0x400000, first, 20_000), (0x7fff0000, second, 4096));
        _folder.File("core", dump);
        using IPageStore store = await new StoreAddresses().OpenAsync(_folder.File("core"), TestContext.Current.CancellationToken);
        CorePageStore core = Assert.IsType<CorePageStore>(store);
        Assert.Equal([new(0x400000, 0, 20_000, 232, 10_000), new(0x7fff0000, 20_480, 4096, 10_232, 4096)], core.Segments);
        byte[] expected = new byte[20_480 + 4096];
        first.CopyTo(expected, 0);
        second.CopyTo(expected, 20_480);
        Reading.AssertSame(expected, await core.AllAsync());
    }

    [Fact]
    public async Task Core_CutShort_IsRefused()
    {
        byte[] dump = CoreFile.Make((0x400000, Sample.Bytes(10_000), 20_000));
        await Assert.ThrowsAsync<ImageFormatException>(() => CorePageStore.OpenAsync(new MemoryPageStore(dump.AsMemory(0, dump.Length - 1)), "core"));
    }

    [Fact]
    public async Task Extract_AnImage_GivesTheBytesWithHoles()
    {
        byte[] bytes = Sample.Bytes(Sample.OddLength);
        await CreateAsync("a.flt", new MemoryPageStore(bytes));
        using ImagePageStore image = await OpenAsync("a.flt");
        await ImageBuilder.ExtractAsync(image, _folder.File("a.img"), null, TestContext.Current.CancellationToken);
        Reading.AssertSame(bytes, await File.ReadAllBytesAsync(_folder.File("a.img"), TestContext.Current.CancellationToken));
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    private Task<ImageWritten> CreateAsync(string name, IPageStore source, ImageWriterOptions? options = null) =>
        ImageBuilder.CreateAsync(source, _folder.File(name), options ?? new ImageWriterOptions(), null, TestContext.Current.CancellationToken);

    private async Task<ImagePageStore> OpenAsync(string name) =>
        Assert.IsType<ImagePageStore>(await new StoreAddresses().OpenAsync(_folder.File(name), TestContext.Current.CancellationToken));
}
