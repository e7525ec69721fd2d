using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Linux;
using Faultline.PageServer;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>Reads what a page server serves, from the memory it is mapped to.</summary>
internal sealed class ServedStore(LinuxEngine engine, RemoteImage image) : IPageStore
{
    private readonly Lock _lock = new();
    private readonly IMemoryAccess _access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
    private bool _isDisposed;

    public ulong Length => image.Length;

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return new(StoreRead.Of(0));
        }

        target = target[..(int)Math.Min((ulong)target.Length, Length - offset)];
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            AccessResult read = _access.Read(image.Range.Start + offset, target.Span);
            return new(read.IsOk ? StoreRead.Of(target.Length) : StoreRead.Failed(new InvalidOperationException($"The access ended in {read.Fault}.")));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _access.Dispose();
                image.Dispose();
            }
        }
    }
}
