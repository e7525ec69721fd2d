using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>A file whose end has been read already.</summary>
internal sealed class TailStore(IPageStore file, ReadOnlyMemory<byte> tail, ulong tailOffset)
{
    public ValueTask ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        if (offset < tailOffset)
        {
            return file.ReadExactlyAsync(offset, target, cancellation);
        }

        tail.Slice((int)(offset - tailOffset), target.Length).CopyTo(target);
        return default;
    }
}
