using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Paging.Tests;

/// <summary>What the threads of one chaos run found: how many answers of each sort, and every one that may not be.</summary>
internal sealed class ChaosVerdict
{
    private readonly ConcurrentQueue<string> _wrong = new();
    private long _right;
    private long _errors;

    /// <summary>Accesses that gave the right bytes.</summary>
    public long Right => Interlocked.Read(ref _right);

    /// <summary>Accesses that ended in an error that tells itself apart.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    public IReadOnlyCollection<string> Wrong => _wrong;

    public void NoteRight() => Interlocked.Increment(ref _right);

    public void NoteError() => Interlocked.Increment(ref _errors);

    public void NoteWrong(string what) => _wrong.Enqueue(what);
}
