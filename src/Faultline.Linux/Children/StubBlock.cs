using System.Runtime.InteropServices;

namespace Faultline.Linux.Children;

/// <summary>
/// The control block of one stub thread: a header, the commands, the stack for signal frames, and a buffer. It lies in the arena, so it has
/// the same address here and in every child. <c>Stub.S</c> names the same offsets.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct StubBlock
{
    /// <summary>All of it.</summary>
    internal const int Bytes = 0x10000;

    /// <summary>Commands that can be posted at once.</summary>
    internal const int MaximumCommands = (StackBottom - CommandsOffset) / StubCommand.Size;

    /// <summary>The most bytes one copy moves.</summary>
    internal const int BufferBytes = Bytes - BufferOffset;

    /// <summary>The bytes of one of the <see cref="Vectors"/>.</summary>
    internal const int VectorBytes = 16;

    private const int VectorsOffset = 0x50;

    private const int CommandsOffset = 0x100;
    private const int StackBottom = 0x1000;

    // 16 KiB of stack: one signal frame with every extension of the processor in it takes less than 12.
    private const int BufferOffset = 0x5000;

    /// <summary>See <see cref="StubState"/>.</summary>
    [FieldOffset(0x00)] public int State;

    /// <summary>Commands posted.</summary>
    [FieldOffset(0x04)] public int Count;

    /// <summary>The process that must be alive: this one.</summary>
    [FieldOffset(0x08)] public int Parent;

    /// <summary>The process group to kill when it is not, or 0.</summary>
    [FieldOffset(0x0c)] public int Group;

    /// <summary>The thread's id; the kernel clears it when the thread has gone.</summary>
    [FieldOffset(0x10)] public int ThreadId;

    /// <summary>Not 0: the interrupt signal ends the access under way.</summary>
    [FieldOffset(0x14)] public int Cancel;

    /// <summary>Looks at the state before the stub sleeps.</summary>
    [FieldOffset(0x18)] public int Spin;

    /// <summary>Seconds and nanoseconds between two looks at the parent.</summary>
    [FieldOffset(0x20)] public long TimeoutSeconds;

    /// <summary>Nanoseconds of it.</summary>
    [FieldOffset(0x28)] public long TimeoutNanoseconds;

    /// <summary>The signals to block.</summary>
    [FieldOffset(0x30)] public ulong SignalMask;

    /// <summary>The top of the stack.</summary>
    [FieldOffset(0x40)] public ulong Stack;

    /// <summary>Two <c>struct iovec</c>, of where bytes come from and of where they go.</summary>
    [FieldOffset(VectorsOffset)] public fixed ulong Vectors[4];

    /// <summary>A command of a block.</summary>
    internal static ref StubCommand Command(StubBlock* block, int index) =>
        ref ((StubCommand*)((byte*)block + CommandsOffset))[index];

    /// <summary>Says where bytes come from and where they go, for calls that take vectors.</summary>
    /// <returns>The address of the first vector; the second is behind it.</returns>
    internal static nint SetVectors(StubBlock* block, ulong source, byte* target, int length)
    {
        block->Vectors[0] = source;
        block->Vectors[1] = (ulong)length;
        block->Vectors[2] = (ulong)target;
        block->Vectors[3] = (ulong)length;
        return (nint)block + VectorsOffset;
    }

    /// <summary>The buffer of a block.</summary>
    internal static byte* Buffer(StubBlock* block) => (byte*)block + BufferOffset;

    /// <summary>Makes a block ready for a newborn thread.</summary>
    internal static void Prepare(StubBlock* block, int group)
    {
        *(ulong*)block = 0;
        block->Parent = System.Environment.ProcessId;
        block->Group = group;
        block->ThreadId = 0;
        block->Cancel = 0;
        block->Spin = 1;
        block->TimeoutSeconds = 1;
        block->TimeoutNanoseconds = 0;
        block->SignalMask = ~(ChildSignals.Bit(ChildSignals.Segv) | ChildSignals.Bit(ChildSignals.Bus) | ChildSignals.Bit(ChildSignals.Usr1));
        block->Stack = (ulong)block + BufferOffset - 64;
    }
}
