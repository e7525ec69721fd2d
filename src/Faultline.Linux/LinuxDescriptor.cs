using System;
using System.Runtime.InteropServices;

namespace Faultline.Linux;

/// <summary>
/// An open file descriptor. The number stays valid while any call holds a reference, so that a call in flight can never reach a
/// file that was given the same number later.
/// </summary>
internal sealed class LinuxDescriptor : SafeHandle
{
    private readonly int _companion;
    private readonly int _secondCompanion;

    internal LinuxDescriptor(int descriptor)
        : this(descriptor, -1, -1)
    {
    }

    /// <summary>A descriptor, and two others that are closed with it.</summary>
    internal LinuxDescriptor(int descriptor, int companion, int secondCompanion)
        : base(-1, ownsHandle: true)
    {
        _companion = companion;
        _secondCompanion = secondCompanion;
        SetHandle(descriptor);
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>The number. Only between <see cref="TryEnter"/> and <see cref="Leave"/>.</summary>
    internal int Number => (int)handle;

    /// <summary>Takes a reference; false when it is disposed. No exception on the ordinary path, and nothing allocated.</summary>
    internal bool TryEnter()
    {
        if (IsClosed)
        {
            return false;
        }

        bool entered = false;
        try
        {
            DangerousAddRef(ref entered);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }

        return entered;
    }

    /// <summary>Gives the reference back; the last one out of a disposed handle closes it.</summary>
    internal void Leave() => DangerousRelease();

    protected override bool ReleaseHandle()
    {
        // Linux frees the number even when close(2) reports an error: it must not be tried again.
        Close((int)handle);
        Close(_companion);
        Close(_secondCompanion);
        return true;
    }

    private static void Close(int descriptor)
    {
        if (descriptor != -1)
        {
            _ = LibC.close(descriptor);
        }
    }
}
