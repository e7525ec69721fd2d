using System;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Cli.Clones;

/// <summary>Anonymous memory that the whole image is read into, before anything else happens.</summary>
internal sealed class EagerCloneMemory : CloneMemory
{
    private const int BlockBytes = 1 << 20;

    private readonly AddressRange _reserved;

    public EagerCloneMemory(IAddressSpace space, IMemoryAccess access, string image, long lengthBytes)
        : base(space)
    {
        // A page that cannot be accessed on either side keeps the kernel from joining this mapping with another, whose pages would be counted with it.
        ulong length = (ulong)lengthBytes;
        var request = new MapRequest
        {
            Length = length + (2 * PageSize.Small),
            Protection = Protections.None,
            Options = MapOptions.Private | MapOptions.Anonymous | MapOptions.NoReserve,
        };
        _reserved = new AddressRange(space.Map(in request).OrThrow("mmap"), request.Length);
        Range = _reserved.Slice(PageSize.Small, length);
        space.Protect(Range, Protections.ReadWrite).OrThrow("mprotect", Range);
        using SafeFileHandle file = File.OpenHandle(image);
        byte[]? buffer = null;
        ulong done = 0;
        while (done < length)
        {
            ulong wanted = Math.Min(BlockBytes, length - done);
            AddressRange target = Range.Slice(done, wanted);

            // Straight into the memory where the program can address it, as an eager reader would; else by way of a buffer.
            bool isAddressable = space.TryGetSpan(target, out Span<byte> own);
            Span<byte> block = isAddressable ? own : (buffer ??= new byte[BlockBytes]).AsSpan(0, (int)wanted);
            int read = RandomAccess.Read(file, block, (long)done);
            if (read == 0)
            {
                throw new ToolException(ExitCode.Failed, $"The image {image} became shorter while it was read.");
            }

            if (!isAddressable && access.Write(target.Start, block[..read]) is { IsOk: false } refused)
            {
                throw new ToolException(ExitCode.Failed, $"The image could not be copied to {target}: {refused.Fault}.");
            }

            done += (ulong)read;
            StoreReads++;
            StoreBytes += read;
        }
    }

    public override void Dispose() => Space.Unmap(_reserved);
}
