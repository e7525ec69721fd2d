using System;
using System.Globalization;
using System.IO;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>What both kinds of accessors of a child share: one stub thread of their own, and its life.</summary>
internal abstract unsafe class ChildAccess : IMemoryAccess
{
    private const int Free = 0;
    private const int Busy = 1;
    private const int Closing = 2;
    private const int Closed = 3;

    // Free, Busy, Closing (disposed while busy: whoever is busy ends the thread), Closed.
    private int _state;

    private protected ChildAccess(ChildProcess process, StubThread thread)
    {
        Process = process;
        Thread = thread;
    }

    /// <inheritdoc/>
    public abstract AccessMode Mode { get; }

    /// <inheritdoc/>
    public uint ThreadId => (uint)Thread.Id;

    /// <summary>Read from <c>/proc</c>, so that it can be asked while the accessor waits. Zero when the thread is gone.</summary>
    public FaultCounts FaultCounts
    {
        get
        {
            if (!Process.TryEnter())
            {
                return default;
            }

            try
            {
                string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Process.Id}/task/{Thread.Id}/stat"));
                string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                return new(
                    long.Parse(fields[MinorField], CultureInfo.InvariantCulture),
                    long.Parse(fields[MajorField], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                return default;
            }
            finally
            {
                Process.Leave();
            }
        }
    }

    private protected ChildProcess Process { get; }

    private protected StubThread Thread { get; }

    /// <inheritdoc/>
    public abstract AccessResult Read(VirtualAddress source, Span<byte> target);

    /// <inheritdoc/>
    public abstract AccessResult Write(VirtualAddress target, ReadOnlySpan<byte> source);

    /// <inheritdoc/>
    public abstract AccessResult Load(VirtualAddress address, out ulong value);

    /// <inheritdoc/>
    public abstract AccessResult Store(VirtualAddress address, ulong value);

    /// <inheritdoc/>
    public abstract AccessResult CompareExchange(VirtualAddress address, ulong value, ulong comparand, out ulong observed);

    /// <inheritdoc/>
    public void Interrupt()
    {
        if (Process.TryEnter())
        {
            Process.Interrupt(Thread);
            Process.Leave();
        }
    }

    /// <summary>Binds the thread to other processors than its process; a client on the only one of them takes turns with it.</summary>
    internal void BindTo(ReadOnlySpan<int> processors)
    {
        if (Process.TryEnter())
        {
            Thread.SharesProcessor = ProcessorBinding.Bind(Thread.Id, processors) ? processors.Length == 1 : Thread.SharesProcessor;
            Process.Leave();
        }
    }

    /// <summary>
    /// Ends the thread. An access under way in another thread ends with <see cref="AccessFault.Killed"/> in user mode; in kernel mode it
    /// goes on until it is resolved, as a system call would.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.CompareExchange(ref _state, Closed, Free) == Free)
        {
            if (Process.TryEnter())
            {
                Process.EndThread(Thread);
                Process.Leave();
            }
        }
        else if (Interlocked.CompareExchange(ref _state, Closing, Busy) == Busy && Process.TryEnter())
        {
            Volatile.Write(ref Thread.Block->Cancel, 1);
            Process.Interrupt(Thread);
            Process.Leave();
        }
    }

    private protected static void RequireAligned(VirtualAddress address, string call)
    {
        if (!address.IsAligned(sizeof(ulong)))
        {
            throw new ArgumentException($"{call} at {address}: the address must be a multiple of eight. Use Read or Write for others.", nameof(address));
        }
    }

    /// <summary>Claims the accessor; false when the process is gone. Pair with <see cref="End"/> if true.</summary>
    private protected bool Begin()
    {
        int old = Interlocked.CompareExchange(ref _state, Busy, Free);
        ObjectDisposedException.ThrowIf(old is Closing or Closed, this);
        if (old == Busy)
        {
            throw new InvalidOperationException("The accessor is in use by another thread. Open one for each thread that waits on its own.");
        }

        if (Process.TryEnter())
        {
            return true;
        }

        _ = Interlocked.CompareExchange(ref _state, Free, Busy);
        return false;
    }

    /// <summary>Lets go of the accessor.</summary>
    private protected void End()
    {
        if (Interlocked.CompareExchange(ref _state, Free, Busy) == Closing)
        {
            Volatile.Write(ref _state, Closed);
            Process.EndThread(Thread);
        }

        Process.Leave();
    }

    /// <summary>The answer for an address in the arena, where nothing of the caller's can be.</summary>
    private protected bool IsOutOfBounds(VirtualAddress address, int length, out AccessResult result)
    {
        bool touches = length > 0 && Process.Arena.Touches(address.Value, (ulong)length);
        result = touches
            ? new(
                Mode == AccessMode.User ? AccessFault.NotMapped : AccessFault.BadAddress,
                Mode == AccessMode.User ? address : default,
                0)
            : default;
        return touches;
    }

    // In /proc/pid/stat, counted from the state behind the name.
    private const int MinorField = 7;
    private const int MajorField = 9;
}
