using System;

namespace Faultline.Cli.Clones;

/// <summary>The memory a clone reads its image from. Making it is part of the time to the first byte.</summary>
internal abstract class CloneMemory(IAddressSpace space) : IDisposable
{
    /// <summary>The address space it is in.</summary>
    public IAddressSpace Space { get; } = space;

    /// <summary>Where the image is.</summary>
    public AddressRange Range { get; protected init; }

    /// <summary>Bytes of the image this clone read itself.</summary>
    public long StoreBytes { get; protected init; }

    /// <summary>Reads of the image this clone made itself.</summary>
    public long StoreReads { get; protected init; }

    /// <summary>Null, or one sentence: why pages no longer come.</summary>
    public virtual string? Loss => null;

    public abstract void Dispose();
}
