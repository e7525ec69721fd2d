using System;

namespace Faultline.Linux;

/// <summary>System calls of this process, made by the calling thread.</summary>
internal sealed unsafe class HomeSystemCaller : SystemCaller
{
    internal override int ProcessId => Environment.ProcessId;

    internal override long Invoke(long number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5)
    {
        nint result = LibC.syscall((nint)number, a0, a1, a2, a3, a4, a5);
        return result == -1 ? -(long)LibC.LastErrno() : result;
    }

    internal override long InvokeIoctl(int descriptor, uint request, Span<byte> argument)
    {
        fixed (byte* pinned = argument)
        {
            int result = LibC.ioctl(descriptor, request, pinned);
            return result == -1 ? -(long)LibC.LastErrno() : result;
        }
    }
}
