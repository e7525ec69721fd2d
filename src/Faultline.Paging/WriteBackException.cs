using System;

namespace Faultline.Paging;

/// <summary>What was written to an image could not be stored. It stays in memory, and it may be tried again.</summary>
public sealed class WriteBackException : Exception
{
    /// <summary>Describes bytes that could not be stored.</summary>
    /// <param name="image">The name of the image.</param>
    /// <param name="offset">Where the first of them are in the image, in bytes.</param>
    /// <param name="length">How many bytes could not be stored, from there on or further behind.</param>
    /// <param name="cause">The store's cause.</param>
    public WriteBackException(string image, ulong offset, ulong length, Exception cause)
        : base($"{length} bytes written to the image '{image}', from 0x{offset:x} on, could not be stored: {cause?.Message}", cause)
    {
        Image = image;
        Offset = offset;
        Length = length;
    }

    /// <summary>The name of the image.</summary>
    public string Image { get; }

    /// <summary>Where the first of the bytes are in the image.</summary>
    public ulong Offset { get; }

    /// <summary>How many bytes could not be stored.</summary>
    public ulong Length { get; }
}
