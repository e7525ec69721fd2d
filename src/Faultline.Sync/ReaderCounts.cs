using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Sync;

/// <summary>How many readers are inside, in a cache line for each processor.</summary>
internal sealed class ReaderCounts
{
    /// <summary>Beyond this processors share lines: a lock of an address space shall stay small.</summary>
    private const int MostLines = 16;

    private static readonly int LineMask = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount), MostLines) - 1;

    private readonly Line[] _lines = new Line[LineMask + 1];

    /// <summary>Whether nobody is inside. Exact only for a caller whom newcomers must see.</summary>
    public bool IsZero
    {
        get
        {
            foreach (ref Line line in _lines.AsSpan())
            {
                if (Volatile.Read(ref line.Count) != 0)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Counts a reader; a full barrier.</summary>
    /// <returns>The line it is counted in.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Enter()
    {
        int line = Thread.GetCurrentProcessorId() & LineMask;
        Interlocked.Increment(ref _lines[line].Count);
        return line;
    }

    /// <summary>Counts a reader in a line of its choice.</summary>
    public void EnterAgain(int line) => Interlocked.Increment(ref _lines[line].Count);

    /// <summary>Counts a reader out of its line, wherever it runs now; a full barrier.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave(int line) => Interlocked.Decrement(ref _lines[line].Count);

    /// <summary>Two cache lines, because processors fetch them in pairs.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Line
    {
        [FieldOffset(64)]
        public int Count;
    }
}
