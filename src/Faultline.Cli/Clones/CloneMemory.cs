using System;
using Faultline.Linux;

namespace Faultline.Cli.Clones;

/// <summary>The memory a clone reads its image from. Making it is part of the time to the first byte.</summary>
internal abstract class CloneMemory(LinuxEngine engine) : IDisposable
{
    /// <summary>Where the image is.</summary>
    public AddressRange Range { get; protected init; }

    /// <summary>Bytes of the image this process read itself.</summary>
    public long StoreBytes { get; protected init; }

    /// <summary>Reads of the image this process made itself.</summary>
    public long StoreReads { get; protected init; }

    /// <summary>Null, or one sentence: why pages no longer come.</summary>
    public virtual string? Loss => null;

    protected LinuxEngine Engine { get; } = engine;

    public abstract void Dispose();
}
