using System;
using System.IO;

namespace Faultline.Stores;

/// <summary>Bytes could not be had from a remote store, for all its retries. It may be tried again.</summary>
public sealed class StoreReadException : IOException
{
    /// <summary>Describes bytes that could not be had.</summary>
    /// <param name="store">The address, without anything secret.</param>
    /// <param name="offset">Where the bytes begin.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="reason">Why, as a sentence without its full stop.</param>
    /// <param name="cause">What failed below, if anything did.</param>
    public StoreReadException(string store, ulong offset, ulong length, string reason, Exception? cause = null)
        : base($"Bytes 0x{offset:x} to 0x{offset + length:x} of {store} could not be read: {reason}.", cause)
    {
        Store = store;
        Offset = offset;
        Length = length;
    }

    /// <summary>The address.</summary>
    public string Store { get; }

    /// <summary>Where the bytes begin.</summary>
    public ulong Offset { get; }

    /// <summary>How many they are.</summary>
    public ulong Length { get; }
}
