using System;
using System.Buffers.Binary;
using System.Globalization;

namespace Faultline.Stores;

/// <summary>What an image is known by: a SHA-256 over its length, its chunk size and the checksums of its chunks. It depends on the contents
/// alone, not on how they are compressed or layered.</summary>
public readonly struct ImageDigest : IEquatable<ImageDigest>
{
    /// <summary>The length of a digest in bytes.</summary>
    public const int Size = 32;

    private const string Prefix = "sha256:";

    private readonly UInt128 _high;
    private readonly UInt128 _low;

    /// <summary>A digest from its bytes.</summary>
    /// <param name="bytes">Exactly <see cref="Size"/> bytes.</param>
    public ImageDigest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"A digest has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="digest">The digest.</param>
    /// <returns>Whether it was one.</returns>
    public static bool TryParse(string? text, out ImageDigest digest)
    {
        digest = default;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length != Prefix.Length + (2 * Size))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(text.AsSpan(Prefix.Length), bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        digest = new ImageDigest(bytes);
        return true;
    }

    /// <summary>Writes the bytes.</summary>
    /// <param name="target">Receives <see cref="Size"/> bytes.</param>
    public void CopyTo(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt128BigEndian(target, _high);
        BinaryPrimitives.WriteUInt128BigEndian(target[16..], _low);
    }

    /// <inheritdoc/>
    public bool Equals(ImageDigest other) => _high == other._high && _low == other._low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ImageDigest other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low);

    /// <summary>Compares two digests.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(ImageDigest left, ImageDigest right) => left.Equals(right);

    /// <summary>Compares two digests.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(ImageDigest left, ImageDigest right) => !left.Equals(right);

    /// <summary>For example <c>sha256:9f86…</c>, with 64 digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{_high:x32}{_low:x32}");
}
