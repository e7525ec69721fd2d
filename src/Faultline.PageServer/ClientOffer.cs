using System;
using System.Buffers.Binary;
using System.Text;

namespace Faultline.PageServer;

/// <summary>What a client hands over with its userfaultfd: a number of regions, the regions, and its name.</summary>
internal sealed record ClientOffer(string Name, RegionOffer[] Regions)
{
    private const int CountBytes = 4;

    public byte[] ToBytes()
    {
        byte[] name = Encoding.UTF8.GetBytes(Name);
        byte[] bytes = new byte[CountBytes + (Regions.Length * RegionOffer.Bytes) + name.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Regions.Length);
        Span<byte> rest = bytes.AsSpan(CountBytes);
        foreach (RegionOffer region in Regions)
        {
            region.Write(rest);
            rest = rest[RegionOffer.Bytes..];
        }

        name.CopyTo(rest);
        return bytes;
    }

    /// <exception cref="PageServerException">These bytes are no offer.</exception>
    public static ClientOffer Parse(ReadOnlySpan<byte> bytes)
    {
        int count = bytes.Length < CountBytes ? 0 : BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (count < 1 || count > (bytes.Length - CountBytes) / RegionOffer.Bytes)
        {
            throw new PageServerException("An offer needs at least one region, and as many as it says.");
        }

        var regions = new RegionOffer[count];
        ReadOnlySpan<byte> rest = bytes[CountBytes..];
        for (int i = 0; i < count; i++)
        {
            regions[i] = RegionOffer.Read(rest);
            rest = rest[RegionOffer.Bytes..];
        }

        return new ClientOffer(Encoding.UTF8.GetString(rest), regions);
    }
}
