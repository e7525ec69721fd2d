using System;

namespace Faultline;

/// <summary>
/// A memory manager: the running Linux kernel, or the managed one. It makes address spaces and memory files, and reports what it can do.
/// </summary>
/// <remarks>
/// Disposing ends every address space the engine made and closes what is left open. All members are safe for concurrent callers.
/// </remarks>
public interface IMemoryEngine : IDisposable
{
    /// <summary><c>linux</c> or <c>managed</c>.</summary>
    string Name { get; }

    /// <summary>What the engine can do here.</summary>
    EngineCapabilities Capabilities { get; }

    /// <summary>
    /// The address space this program itself lives in: on Linux the process, in the managed engine its first address space.
    /// It lives as long as the engine; disposing it does nothing.
    /// </summary>
    IAddressSpace Home { get; }

    /// <summary>Makes a new address space with nothing of the caller's in it (on Linux: a small process of its own).</summary>
    /// <returns>The address space, or ENOMEM, EAGAIN (process limit), EOPNOTSUPP (see <see cref="EngineCapabilities.ManyAddressSpaces"/>).</returns>
    SystemResult<IAddressSpace> CreateAddressSpace();

    /// <summary>Makes an anonymous file in memory: shmem or hugetlb (Linux: memfd_create(2)).</summary>
    /// <returns>The file, or EINVAL, EMFILE, ENFILE, ENOMEM, EOPNOTSUPP (a limit was asked for where it cannot be had).</returns>
    SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options);

    /// <summary>Makes a poller: one thing to wait on for many userfaultfds.</summary>
    IUserfaultfdPoller CreatePoller();
}
