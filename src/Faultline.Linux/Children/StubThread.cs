using System;
using System.Runtime.Intrinsics.X86;
using System.Threading;

namespace Faultline.Linux.Children;

/// <summary>
/// The client's end of one stub thread: posts commands and waits for the answer, briefly by looking, then asleep in a native call, where
/// the garbage collector does not wait for it. One client at a time.
/// </summary>
internal sealed unsafe class StubThread
{
    // Looking pays when client and stub run on two processors at once, and is lost time when they share one. So each side looks less
    // after it looked in vain, and more after it did not; now and then the most is tried again. The most takes about as long as a
    // sleep and a wake-up.
    private const int MostLooks = 400;
    private const int FewestLooks = 20;
    private const int PostsBetweenTries = 64;

    // How long a dead process or a lost signal can go unnoticed.
    private const long NapNanoseconds = 50_000_000;

    private readonly ChildProcess _process;
    private int _clientLooks = MostLooks;
    private int _stubLooks = MostLooks;
    private int _posts;

    internal StubThread(ChildProcess process, StubBlock* block, int id)
    {
        _process = process;
        Block = block;
        Id = id;
    }

    /// <summary>The kernel's number of the thread.</summary>
    internal int Id { get; }

    /// <summary>Whether it runs on the processor of its client: then looking for the other's turn only keeps that from coming.</summary>
    internal bool SharesProcessor { get; set; }

    /// <summary>Whether it has a command that it has not answered.</summary>
    internal bool IsBusy => Volatile.Read(ref Block->State) is StubState.Posted or StubState.ClientSleeps;

    /// <summary>The control block.</summary>
    internal StubBlock* Block { get; }

    /// <summary>The buffer, at the same address on both sides.</summary>
    internal byte* Buffer => StubBlock.Buffer(Block);

    /// <summary>A command to fill in or to read; before <see cref="Run"/> and after it, not meanwhile.</summary>
    internal ref StubCommand Command(int index) => ref StubBlock.Command(Block, index);

    /// <summary>Fills in a system call.</summary>
    internal void SetCall(int index, long number, nint a0 = 0, nint a1 = 0, nint a2 = 0, nint a3 = 0, nint a4 = 0, nint a5 = 0)
    {
        ref StubCommand command = ref Command(index);
        command.Operation = StubOperation.Call;
        command.Number = number;
        command.A0 = a0;
        command.A1 = a1;
        command.A2 = a2;
        command.A3 = a3;
        command.A4 = a4;
        command.A5 = a5;
    }

    /// <summary>Fills in an access.</summary>
    internal void SetAccess(StubOperation operation, ulong a0, ulong a1, ulong a2)
    {
        ref StubCommand command = ref Command(0);
        command.Operation = operation;
        command.A0 = (nint)a0;
        command.A1 = (nint)a1;
        command.A2 = (nint)a2;
    }

    /// <summary>Makes one system call.</summary>
    /// <returns>The result, a negative error number, or -ESRCH when the process ended.</returns>
    internal long Call(long number, nint a0 = 0, nint a1 = 0, nint a2 = 0, nint a3 = 0, nint a4 = 0, nint a5 = 0)
    {
        SetCall(0, number, a0, a1, a2, a3, a4, a5);
        return Run(1) ? Command(0).Result : -(long)Errno.ESRCH;
    }

    /// <summary>Has the commands executed, one after the other, and waits.</summary>
    /// <returns>False when the process ended; then nothing is known about the commands.</returns>
    internal bool Run(int count)
    {
        Block->Count = count;
        Block->Spin = Tune();
        return TryPost() && Await();
    }

    /// <summary>Has the thread end itself; there is no answer.</summary>
    internal void PostExit()
    {
        SetCall(0, ChildCalls.Exit);
        Block->Count = 1;
        _ = TryPost();
    }

    /// <summary>Waits until the kernel has let go of the thread.</summary>
    internal void AwaitExit()
    {
        while (!_process.HasEnded)
        {
            int id = Volatile.Read(ref Block->ThreadId);
            if (id == 0)
            {
                return;
            }

            Nap(&Block->ThreadId, id);
            _process.NoticeEnd();
        }
    }

    /// <summary>Tells the client and all to come that the process is gone.</summary>
    internal void MarkEnded()
    {
        _ = Interlocked.Exchange(ref Block->State, StubState.Ended);
        _ = LibC.syscall(ChildCalls.Futex, (nint)(&Block->State), ChildCalls.FutexWake, int.MaxValue, 0, 0, 0);
    }

    private static void Nap(int* word, int value)
    {
        long* timeout = stackalloc long[2] { 0, NapNanoseconds };
        _ = LibC.syscall(ChildCalls.Futex, (nint)word, ChildCalls.FutexWait, value, (nint)timeout, 0, 0);
    }

    // How often the stub is to look for the next command after this one.
    private int Tune()
    {
        if (Environment.ProcessorCount == 1 || SharesProcessor)
        {
            _clientLooks = 0;
            return 1;
        }

        if (++_posts % PostsBetweenTries == 0)
        {
            _clientLooks = MostLooks;
            _stubLooks = MostLooks;
        }

        return _stubLooks;
    }

    private bool TryPost()
    {
        ref int state = ref Block->State;
        int old = Interlocked.CompareExchange(ref state, StubState.Posted, StubState.Idle);
        if (old == StubState.Idle)
        {
            _stubLooks = Math.Min(_stubLooks * 2, MostLooks);
        }
        else if (old == StubState.StubSleeps)
        {
            _stubLooks = Math.Max(_stubLooks / 2, FewestLooks);
            old = Interlocked.CompareExchange(ref state, StubState.Posted, StubState.StubSleeps);
            if (old == StubState.StubSleeps)
            {
                _ = LibC.syscall(ChildCalls.Futex, (nint)(&Block->State), ChildCalls.FutexWake, 1, 0, 0, 0);
            }
        }

        return old != StubState.Ended;
    }

    private bool Await()
    {
        int* state = &Block->State;
        for (int look = _clientLooks; look > 0; look--)
        {
            if (Volatile.Read(ref *state) != StubState.Posted)
            {
                _clientLooks = Math.Min(_clientLooks * 2, MostLooks);
                return *state != StubState.Ended;
            }

            X86Base.Pause();
        }

        _clientLooks = Math.Max(_clientLooks / 2, FewestLooks);
        _ = Interlocked.CompareExchange(ref *state, StubState.ClientSleeps, StubState.Posted);
        while (true)
        {
            switch (Volatile.Read(ref *state))
            {
                case StubState.Ended:
                    return false;
                case StubState.ClientSleeps:
                    Nap(state, StubState.ClientSleeps);
                    Look();
                    break;
                default:
                    return true;
            }
        }
    }

    // A signal that came just before the access began had nothing to end, so a cancellation is repeated.
    private void Look()
    {
        if (Volatile.Read(ref Block->State) == StubState.ClientSleeps)
        {
            _process.NoticeEnd();
            if (Volatile.Read(ref Block->Cancel) != 0)
            {
                _process.Interrupt(this);
            }
        }
    }
}
