using System;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Hosting;

/// <summary>The use of an image: it stays mapped until this is disposed, also while the host stops, up to its deadline.</summary>
public sealed class ImageUse : IDisposable
{
    private readonly UseCount _count;
    private int _isDisposed;

    internal ImageUse(PagedMemory memory, UseCount count)
    {
        Memory = memory;
        _count = count;
    }

    /// <summary>The image, mapped.</summary>
    public PagedMemory Memory { get; }

    /// <summary>Ends the use.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _count.Leave();
        }
    }
}
