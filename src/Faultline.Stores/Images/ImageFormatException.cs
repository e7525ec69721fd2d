using System;

namespace Faultline.Stores;

/// <summary>An image is not what it should be: not an image at all, cut short, damaged, or of a version that cannot be read.</summary>
public sealed class ImageFormatException : Exception
{
    /// <summary>Describes an image that cannot be used.</summary>
    /// <param name="image">The name of the image.</param>
    /// <param name="reason">Why, as a sentence without its full stop.</param>
    /// <param name="cause">What failed below, if anything did.</param>
    public ImageFormatException(string image, string reason, Exception? cause = null)
        : base($"The image '{image}' cannot be used: {reason}.", cause) => Image = image;

    /// <summary>Describes bytes of an image that cannot be used.</summary>
    /// <param name="image">The name of the image.</param>
    /// <param name="offset">Where the bytes begin in the image.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="reason">Why, as a sentence without its full stop.</param>
    /// <param name="cause">What failed below, if anything did.</param>
    public ImageFormatException(string image, ulong offset, ulong length, string reason, Exception? cause = null)
        : base($"Bytes 0x{offset:x} to 0x{offset + length:x} of the image '{image}' cannot be used: {reason}.", cause)
    {
        Image = image;
        Offset = offset;
        Length = length;
    }

    /// <summary>The name of the image.</summary>
    public string Image { get; }

    /// <summary>Where the bytes begin, or null if it is about the whole image.</summary>
    public ulong? Offset { get; }

    /// <summary>How many bytes it is about, or null if it is about the whole image.</summary>
    public ulong? Length { get; }
}
