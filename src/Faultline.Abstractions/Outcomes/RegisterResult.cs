namespace Faultline;

/// <summary>What UFFDIO_REGISTER answered.</summary>
/// <param name="Errno">The error, or <see cref="Errno.None"/>.</param>
/// <param name="Ioctls">The calls advertised for the range. It follows the request and over-promises: MOVE is named for shmem, where it always fails.</param>
public readonly record struct RegisterResult(Errno Errno, UserfaultfdIoctls Ioctls)
{
    /// <summary>Whether the range is registered.</summary>
    public bool IsOk => Errno == Errno.None;
}
