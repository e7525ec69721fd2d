using System;

namespace Faultline.Linux;

/// <summary>The calling thread as the kernel knows it.</summary>
internal static class KernelThread
{
    [ThreadStatic]
    private static int _currentId;

    /// <summary>The kernel's number of the calling thread (gettid(2)), asked for once for each thread.</summary>
    internal static int CurrentId
    {
        get
        {
            int id = _currentId;
            if (id == 0)
            {
                id = (int)LibC.syscall(SystemCallNumbers.Gettid, 0, 0, 0, 0, 0, 0);
                _currentId = id;
            }

            return id;
        }
    }
}
