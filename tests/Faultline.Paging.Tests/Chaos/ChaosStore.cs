using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging.Tests;

/// <summary>
/// A store that does, by seed, what stores do on bad days: answers late, out of order, on other threads or never; fails, gives too little, gives damaged
/// bytes, or keeps the caller's thread. While it is calm it answers at once and right.
/// </summary>
internal sealed class ChaosStore(byte[] contents, int seed, bool damages) : IPageStore
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly List<TaskCompletionSource> _waiting = [];
    private readonly List<TaskCompletionSource> _never = [];
    private int _reads;

    /// <summary>Whether it behaves.</summary>
    public bool IsCalm { get; set; } = true;

    public ulong Length => (ulong)contents.Length;

    /// <summary>How many reads did not go well.</summary>
    public int Troubles { get; private set; }

    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        target = target[..(int)Math.Min((ulong)target.Length, Length - Math.Min(offset, Length))];
        Trouble trouble;
        int measure;
        TaskCompletionSource? turn = null;
        lock (_lock)
        {
            // Two of three reads go well, so that there is something to be right about.
            trouble = IsCalm || _random.Next(3) != 0 ? Trouble.None : (Trouble)_random.Next((int)Trouble.Count);
            trouble = trouble == Trouble.Never && _random.Next(3) != 0 ? Trouble.Late : trouble;
            trouble = trouble == Trouble.Damage && !damages ? Trouble.Fail : trouble;
            measure = _random.Next(1, 30);
            _reads++;
            Troubles += trouble == Trouble.None ? 0 : 1;
            if (trouble is Trouble.OutOfOrder or Trouble.Never)
            {
                turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                (trouble == Trouble.Never ? _never : _waiting).Add(turn);
            }

            LetSomeGo();
        }

        switch (trouble)
        {
            case Trouble.Late:
                await Task.Delay(measure, CancellationToken.None);
                break;
            case Trouble.OutOfOrder:
                await turn!.Task;
                break;
            case Trouble.Never:
                // A good store looks at the token; this one does so every other time.
                await (measure % 2 == 0 ? turn!.Task : turn!.Task.WaitAsync(cancellationToken));
                break;
            case Trouble.Elsewhere:
                await Task.Yield();
                break;
            case Trouble.KeepsTheThread:
                using (ManualResetEventSlim never = new())
                {
                    never.Wait(measure * 4, CancellationToken.None);
                }

                break;
            case Trouble.Throws:
                throw new IOException("The disk of the chaos test threw.");
            case Trouble.Fail:
                return StoreRead.Failed(new IOException("The disk of the chaos test failed."));
        }

        contents.AsSpan((int)offset, target.Length).CopyTo(target.Span);
        if (trouble == Trouble.Damage && target.Length != 0)
        {
            target.Span[measure * 7919 % target.Length] ^= (byte)measure;
        }

        return StoreRead.Of(trouble == Trouble.TooLittle ? target.Length / 2 : target.Length);
    }

    /// <summary>Answers whatever was held back, right, and goes on so.</summary>
    public void CalmDown()
    {
        List<TaskCompletionSource> all;
        lock (_lock)
        {
            IsCalm = true;
            all = [.. _waiting, .. _never];
            _waiting.Clear();
            _never.Clear();
        }

        all.ForEach(static turn => turn.TrySetResult());
    }

    public void Dispose() => CalmDown();

    /// <summary>Every few reads those that wait for their turn get it, the last first.</summary>
    private void LetSomeGo()
    {
        if (_reads % 3 != 0)
        {
            return;
        }

        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            _waiting[i].TrySetResult();
        }

        _waiting.Clear();
    }

    private enum Trouble
    {
        None = 0,
        Late,
        OutOfOrder,
        Never,
        Elsewhere,
        KeepsTheThread,
        Throws,
        Fail,
        TooLittle,
        Damage,
        Count,
    }
}
