using System;

namespace Faultline.Paging;

/// <summary>Pages of an image could not be brought. The inner exception, if any, is the store's cause. It may be tried again.</summary>
public sealed class PageLoadException : Exception
{
    /// <summary>Describes pages that could not be brought.</summary>
    /// <param name="image">The name of the image.</param>
    /// <param name="offset">Where the pages begin in the image, in bytes.</param>
    /// <param name="length">Their length in bytes.</param>
    /// <param name="reason">Why, as a sentence without its full stop.</param>
    /// <param name="cause">The store's cause, if it was the store.</param>
    public PageLoadException(string image, ulong offset, ulong length, string reason, Exception? cause = null)
        : base($"Bytes 0x{offset:x} to 0x{offset + length:x} of the image '{image}' could not be brought: {reason}.", cause)
    {
        Image = image;
        Offset = offset;
        Length = length;
    }

    /// <summary>The name of the image.</summary>
    public string Image { get; }

    /// <summary>Where the pages begin in the image, in bytes.</summary>
    public ulong Offset { get; }

    /// <summary>The length of the pages in bytes.</summary>
    public ulong Length { get; }
}
