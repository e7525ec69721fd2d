using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Sync;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;

namespace Faultline.Verification.Races;

/// <summary>The store behind a race's image.</summary>
internal sealed class RaceStore(byte[] contents, bool fails) : IPageStore
{
    private bool _isLate;
    private int _answerMs;
    private int _reads;

    /// <summary>How often it was read.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>How long an answer takes, by the schedule's clock. Once set, answers come from a thread of their own, also after no time.</summary>
    public int AnswerMs
    {
        get => _answerMs;
        set
        {
            _isLate = true;
            _answerMs = value;
        }
    }

    /// <summary>How often each late answer is given; more than once is for a canary.</summary>
    public int AnswersEach { get; init; } = 1;

    public ulong Length => (ulong)contents.Length;

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        if (fails)
        {
            return new(StoreRead.Failed(new System.IO.IOException("This read was to fail.")));
        }

        if (!_isLate)
        {
            return new(Answer(offset, target));
        }

        // Continued on the thread that answers: that is a thread of the schedule.
        LateAnswer later = new(AnswersEach);
        int sleepMs = _answerMs;
        Seam.Start("store", () =>
        {
            if (sleepMs > 0)
            {
                using Parker parker = new();
                parker.Park(sleepMs);
            }

            later.Give(Answer(offset, target));
        });
        return later.Task;
    }

    public void Dispose()
    {
        // The bytes are the scenario's.
    }

    private StoreRead Answer(ulong offset, Memory<byte> target)
    {
        contents.AsMemory((int)offset, target.Length).CopyTo(target);
        return StoreRead.Of(target.Length);
    }
}
