namespace Faultline;

/// <summary>The arguments of a mapping (Linux: mmap(2)).</summary>
public readonly record struct MapRequest
{
    /// <summary>The address wanted, or zero for any.</summary>
    public VirtualAddress Address { get; init; }

    /// <summary>The length in bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>The rights.</summary>
    public Protections Protection { get; init; }

    /// <summary>Shared or private, and the rest.</summary>
    public MapOptions Options { get; init; }

    /// <summary>The file, or null for anonymous memory.</summary>
    public IMemoryFile? File { get; init; }

    /// <summary>The offset in the file, in bytes.</summary>
    public ulong Offset { get; init; }

    /// <summary>Private anonymous memory, readable and writable.</summary>
    public static MapRequest PrivateAnonymous(ulong length) =>
        new() { Length = length, Protection = Protections.ReadWrite, Options = MapOptions.Private | MapOptions.Anonymous };

    /// <summary>A shared mapping of a file, readable and writable.</summary>
    public static MapRequest SharedFile(IMemoryFile file, ulong length, ulong offset = 0) =>
        new() { Length = length, Protection = Protections.ReadWrite, Options = MapOptions.Shared, File = file, Offset = offset };

    /// <summary>A private (copy-on-write) mapping of a file, readable and writable.</summary>
    public static MapRequest PrivateFile(IMemoryFile file, ulong length, ulong offset = 0) =>
        new() { Length = length, Protection = Protections.ReadWrite, Options = MapOptions.Private, File = file, Offset = offset };
}
