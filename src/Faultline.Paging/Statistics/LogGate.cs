using System;
using System.Threading;

namespace Faultline.Paging;

/// <summary>Lets a few messages of one kind pass in each second, and counts the others. Takes no lock; a message more or less may pass.</summary>
internal sealed class LogGate(TimeProvider time)
{
    private const int PassInASecond = 5;

    private long _second = long.MinValue;
    private int _passed;
    private long _leftOut;

    /// <summary>Asks to pass.</summary>
    /// <param name="leftOut">How many have not passed since the last one that did.</param>
    public bool TryPass(out long leftOut)
    {
        long second = time.GetTimestamp() / time.TimestampFrequency;
        long before = Volatile.Read(ref _second);
        if (second != before && Interlocked.CompareExchange(ref _second, second, before) == before)
        {
            Volatile.Write(ref _passed, 0);
        }

        if (Interlocked.Increment(ref _passed) > PassInASecond)
        {
            Interlocked.Increment(ref _leftOut);
            leftOut = 0;
            return false;
        }

        leftOut = Interlocked.Exchange(ref _leftOut, 0);
        return true;
    }
}
