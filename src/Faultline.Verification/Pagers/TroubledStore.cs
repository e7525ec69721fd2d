using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Pagers;

/// <summary>A store of known bytes that fails, is slow, or gives too little. It never gives wrong bytes, and answers each read once.</summary>
/// <param name="bed">The world of the schedule.</param>
/// <param name="contents">The bytes.</param>
public sealed class TroubledStore(PagerBed bed, ReadOnlyMemory<byte> contents) : IPageStore
{
    private int _reads;

    /// <summary>So many reads fail before one succeeds.</summary>
    public int FailedReads { get; init; }

    /// <summary>Whether answers come from a thread of their own, whenever that runs.</summary>
    public bool IsSlow { get; init; }

    /// <summary>So many bytes too few are given.</summary>
    public int ShortBy { get; init; }

    /// <inheritdoc/>
    public ulong Length => (ulong)contents.Length;

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        Seam.Touch(this, TouchKind.Write);
        bool fails = _reads++ < FailedReads;
        if (!IsSlow)
        {
            return new(Answer(offset, target, fails));
        }

        // Continued on the thread that answers: that is a thread of the schedule.
        LateAnswer later = new();
        bed.Start("store", () => later.Give(Answer(offset, target, fails)));
        return later.Task;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The bytes belong to the caller.
    }

    private StoreRead Answer(ulong offset, Memory<byte> target, bool fails)
    {
        if (fails)
        {
            return StoreRead.Failed(new IOException("This read was to fail."));
        }

        int length = (int)Math.Clamp((long)Length - (long)offset, 0, target.Length);
        contents.Slice((int)offset, length).CopyTo(target);
        return StoreRead.Of(Math.Max(0, length - ShortBy));
    }
}
