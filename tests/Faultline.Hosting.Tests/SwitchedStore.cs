using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Hosting.Tests;

/// <summary>A store whose every byte is known, and that a test switches off, or has hold up whoever asks.</summary>
internal sealed class SwitchedStore(ulong length) : IPageStore
{
    private volatile bool _isOff;

    public bool IsOff
    {
        get => _isOff;
        set => _isOff = value;
    }

    /// <summary>Reads wait for this, on the thread that asks, if it is set.</summary>
    public ManualResetEventSlim? HeldUpUntil { get; set; }

    public bool IsDisposed { get; private set; }

    public ulong Length { get; } = length;

    public static byte ByteAt(ulong offset) => (byte)((offset * 31) + (offset >> 12));

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        HeldUpUntil?.Wait(TimeSpan.FromSeconds(60), CancellationToken.None);
        if (IsOff)
        {
            return new(StoreRead.Failed(new System.IO.IOException("The store is switched off.")));
        }

        for (int i = 0; i < target.Length; i++)
        {
            target.Span[i] = ByteAt(offset + (ulong)i);
        }

        return new(StoreRead.Of(target.Length));
    }

    public void Dispose() => IsDisposed = true;
}
