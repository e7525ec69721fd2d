using System;
using System.IO;
using Faultline.Linux;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Cli.Clones;

/// <summary>Anonymous memory that the whole image is read into, before anything else happens.</summary>
internal sealed class EagerCloneMemory : CloneMemory
{
    private const int BlockBytes = 1 << 20;

    private readonly AddressRange _reserved;

    public EagerCloneMemory(LinuxEngine engine, string image, long lengthBytes)
        : base(engine)
    {
        // A page that cannot be accessed on either side keeps the kernel from joining this mapping with another, whose pages would be counted with it.
        ulong length = (ulong)lengthBytes;
        var request = new MapRequest
        {
            Length = length + (2 * PageSize.Small),
            Protection = Protections.None,
            Options = MapOptions.Private | MapOptions.Anonymous | MapOptions.NoReserve,
        };
        _reserved = new AddressRange(engine.Home.Map(in request).OrThrow("mmap"), request.Length);
        Range = _reserved.Slice(PageSize.Small, length);
        engine.Home.Protect(Range, Protections.ReadWrite).OrThrow("mprotect", Range);
        using SafeFileHandle file = File.OpenHandle(image);
        ulong done = 0;
        while (done < length)
        {
            ulong wanted = Math.Min(BlockBytes, length - done);
            if (!engine.Home.TryGetSpan(Range.Slice(done, wanted), out Span<byte> block))
            {
                throw new InvalidOperationException("Memory of the own process cannot be addressed.");
            }

            int read = RandomAccess.Read(file, block, (long)done);
            if (read == 0)
            {
                throw new ToolException(ExitCode.Failed, $"The image {image} became shorter while it was read.");
            }

            done += (ulong)read;
            StoreReads++;
            StoreBytes += read;
        }
    }

    public override void Dispose() => Engine.Home.Unmap(_reserved);
}
