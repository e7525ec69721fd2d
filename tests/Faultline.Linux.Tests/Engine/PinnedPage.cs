using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>A page of this process that is pinned for a device, as long as this is not disposed: a buffer registered with io_uring(7).</summary>
internal sealed class PinnedPage : IDisposable
{
    private const int SysIoUringSetup = 425;
    private const int SysIoUringRegister = 427;
    private const int RegisterBuffers = 0;
    private const int ScratchBytes = 256;

    private readonly SafeFileHandle _ring;

    private PinnedPage(SafeFileHandle ring) => _ring = ring;

    /// <summary>Pins a page, or skips the test if that cannot be done here.</summary>
    public static PinnedPage Take(IAddressSpace home, VirtualAddress page)
    {
        SystemCaller caller = ((LinuxAddressSpace)home).Caller;
        nint scratch = Marshal.AllocHGlobal(ScratchBytes);
        try
        {
            Marshal.Copy(new byte[ScratchBytes], 0, scratch, ScratchBytes);
            long ring = caller.Invoke(SysIoUringSetup, 2, scratch);
            Assert.SkipWhen(ring < 0, $"io_uring_setup(2), which pins the page, answers {(Errno)(-ring)} (see kernel.io_uring_disabled).");
            PinnedPage pinned = new(new SafeFileHandle((nint)ring, ownsHandle: true));
            Marshal.WriteInt64(scratch, (long)page.Value);
            Marshal.WriteInt64(scratch, sizeof(long), (long)PageSize.Small);
            Assert.Equal(0, caller.Invoke(SysIoUringRegister, (nint)ring, RegisterBuffers, scratch, 1, 0, 0));
            return pinned;
        }
        finally
        {
            Marshal.FreeHGlobal(scratch);
        }
    }

    public void Dispose() => _ring.Dispose();
}
