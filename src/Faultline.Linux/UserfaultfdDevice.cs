using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>The second door: <c>/dev/userfaultfd</c>, whose permissions are the only ones asked for.</summary>
internal static unsafe class UserfaultfdDevice
{
    internal static Errno Open(out int descriptor)
    {
        fixed (byte* path = "/dev/userfaultfd\0"u8)
        {
            descriptor = LibC.open(path, fcntl_h.O_RDWR | fcntl_h.O_CLOEXEC, 0);
        }

        return LibC.ErrnoOf(descriptor);
    }
}
