using System;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class MemoryFileTests : IDisposable
{
    private readonly LinuxEngine _engine = new();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Write_BeyondLimit_AnswersEnospc()
    {
        Assert.SkipUnless(_engine.Capabilities.LimitedFiles.IsAvailable, _engine.Capabilities.LimitedFiles.Reason);
        using IMemoryFile file = Create(new() { Name = "limited", Size = 16 * PageSize.Small, LimitBytes = 3 * PageSize.Small });
        byte[] page = new byte[PageSize.Small];
        for (ulong index = 0; index < 3; index++)
        {
            Assert.Equal(page.Length, file.Write(index * 2 * PageSize.Small, page).OrThrow("pwrite"));
        }

        Assert.Equal(Errno.ENOSPC, file.Write(8 * PageSize.Small, page).Errno);
        Assert.Equal(Errno.ENOSPC, file.Allocate(8 * PageSize.Small, PageSize.Small).Errno);
        Assert.Equal(3UL * 8, file.GetStatus().OrThrow("statx").Blocks);
        file.PunchHole(0, PageSize.Small).OrThrow("fallocate");
        Assert.True(file.Write(8 * PageSize.Small, page).IsOk);
    }

    [Fact]
    public void Create_WithLimitAndHugePages_IsNotSupported() =>
        Assert.Equal(Errno.EOPNOTSUPP, _engine.CreateMemoryFile(new() { LimitBytes = PageSize.Huge, HugePages = true }).Errno);

    [Fact]
    public void Create_WithNameTooLong_AnswersEinval() =>
        Assert.Equal(Errno.EINVAL, _engine.CreateMemoryFile(new() { Name = new string('x', 250) }).Errno);

    [Fact]
    public void Reopen_ForReading_CannotWrite()
    {
        using IMemoryFile file = Create(new() { Name = "reopened", Size = PageSize.Small });
        using IMemoryFile reader = file.Reopen(FileAccessRights.Read).OrThrow("open");
        using IMemoryFile writer = file.Reopen(FileAccessRights.ReadWrite).OrThrow("open");
        Assert.Equal(Errno.EBADF, reader.Write(0, "x"u8).Errno);
        Assert.Equal(1, writer.Write(0, "y"u8).OrThrow("pwrite"));
        byte[] seen = new byte[1];
        Assert.Equal(1, reader.Read(0, seen).OrThrow("pread"));
        Assert.Equal((byte)'y', seen[0]);
        Assert.Equal(Errno.EACCES, _engine.Home.Map(MapRequest.SharedFile(reader, PageSize.Small)).Errno);
    }

    [Fact]
    public void FindDataAndHole_InSparseFile_FindTheBorders()
    {
        using IMemoryFile file = Create(new() { Name = "sparse", Size = 10 * PageSize.Small });
        _ = file.Write(3 * PageSize.Small, "x"u8).OrThrow("pwrite");
        Assert.Equal(3 * PageSize.Small, file.FindData(0).OrThrow("lseek"));
        Assert.Equal(4 * PageSize.Small, file.FindHole(3 * PageSize.Small).OrThrow("lseek"));
        Assert.Equal(Errno.ENXIO, file.FindData(4 * PageSize.Small).Errno);
        Assert.Equal(Errno.ENXIO, file.FindHole(10 * PageSize.Small).Errno);
        Assert.Equal((9 * PageSize.Small) + 1, file.FindHole((9 * PageSize.Small) + 1).OrThrow("lseek"));
    }

    [Fact]
    public void AddSeals_TakeEffect()
    {
        using IMemoryFile file = Create(new() { Name = "sealed", Size = 2 * PageSize.Small });
        Assert.Equal(FileSeals.None, file.GetSeals().OrThrow("fcntl"));
        file.AddSeals(FileSeals.Shrink | FileSeals.Grow).OrThrow("fcntl");
        Assert.Equal(Errno.EPERM, file.Truncate(PageSize.Small).Errno);
        Assert.Equal(Errno.EPERM, file.Truncate(3 * PageSize.Small).Errno);
        VirtualAddress at = _engine.Home.Map(MapRequest.SharedFile(file, PageSize.Small)).OrThrow("mmap");
        Assert.Equal(Errno.EBUSY, file.AddSeals(FileSeals.Write).Errno);
        _engine.Home.Unmap(new(at, PageSize.Small)).OrThrow("munmap");
        file.AddSeals(FileSeals.Write | FileSeals.Seal).OrThrow("fcntl");
        Assert.Equal(Errno.EPERM, file.Write(0, "x"u8).Errno);
        Assert.Equal(Errno.EPERM, file.AddSeals(FileSeals.FutureWrite).Errno);
        Assert.Equal(FileSeals.Shrink | FileSeals.Grow | FileSeals.Write | FileSeals.Seal, file.GetSeals().OrThrow("fcntl"));
    }

    [Fact]
    public void Map_OfFileFromAnotherEngine_Throws() =>
        Assert.Throws<ArgumentException>(() => _engine.Home.Map(new() { Length = 1, File = new ForeignFile() }));

    private IMemoryFile Create(MemoryFileOptions options) => _engine.CreateMemoryFile(in options).OrThrow("memfd_create");
}
