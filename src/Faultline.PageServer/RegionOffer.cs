using System;
using System.Buffers.Binary;
using Faultline.Paging;

namespace Faultline.PageServer;

/// <summary>A region as it is handed over.</summary>
/// <param name="Range">Its addresses in the client.</param>
/// <param name="ImageOffset">Where in the image it begins, in bytes.</param>
/// <param name="Kind">What memory it is.</param>
internal readonly record struct RegionOffer(AddressRange Range, ulong ImageOffset, RegionKind Kind)
{
    public const int Bytes = 28;

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Range.Start.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], Range.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], ImageOffset);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], (int)Kind);
    }

    public static RegionOffer Read(ReadOnlySpan<byte> source) => new(
        new AddressRange(
            new VirtualAddress(BinaryPrimitives.ReadUInt64LittleEndian(source)),
            BinaryPrimitives.ReadUInt64LittleEndian(source[8..])),
        BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
        (RegionKind)BinaryPrimitives.ReadInt32LittleEndian(source[24..]));
}
