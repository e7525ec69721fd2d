using System;

namespace Faultline.Linux.Tests;

/// <summary>A file no kernel knows.</summary>
internal sealed class ForeignFile : IMemoryFile
{
    public ulong PageSizeBytes => PageSize.Small;

    public SystemResult<MemoryFileStatus> GetStatus() => default;

    public SystemResult Truncate(ulong size) => default;

    public SystemResult Allocate(ulong offset, ulong length) => default;

    public SystemResult PunchHole(ulong offset, ulong length) => default;

    public SystemResult<int> Read(ulong offset, Span<byte> target) => default;

    public SystemResult<int> Write(ulong offset, ReadOnlySpan<byte> source) => default;

    public SystemResult<ulong> FindData(ulong offset) => default;

    public SystemResult<ulong> FindHole(ulong offset) => default;

    public SystemResult AddSeals(FileSeals seals) => default;

    public SystemResult<FileSeals> GetSeals() => default;

    public SystemResult<IMemoryFile> Reopen(FileAccessRights rights) => default;

    public void Dispose()
    {
    }
}
