using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Sync;

/// <summary>Where one reader says what it reads. Used by one thread at a time; see <see cref="ReaderSlots"/>.</summary>
public sealed class ReaderSlot
{
    private Line _line;

    internal ReaderSlot()
    {
    }

    /// <summary>What is read now, or null.</summary>
    internal object? Held => Volatile.Read(ref _line.Held);

    /// <summary>Says what is read from here on; a full barrier.</summary>
    internal void Set(object? what) => Interlocked.Exchange(ref _line.Held, what);

    /// <summary>Lines that no other reader's slot has part in.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Line
    {
        [FieldOffset(64)]
        public object? Held;
    }
}
