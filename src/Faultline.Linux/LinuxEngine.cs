using System;
using System.Threading;
using Faultline.Linux.Children;

namespace Faultline.Linux;

/// <summary>The memory manager of the running Linux kernel.</summary>
public sealed class LinuxEngine : IMemoryEngine
{
    private readonly ChildFamily _children = new();
    private readonly HomeAddressSpace _home;
    private readonly Lazy<EngineCapabilities> _capabilities = new(static () => KernelProbe.Run().Capabilities, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Opens the engine. It makes no process and no descriptor until it has to.</summary>
    public LinuxEngine() => _home = new HomeAddressSpace(_children);

    /// <inheritdoc/>
    public string Name => "linux";

    /// <inheritdoc/>
    public EngineCapabilities Capabilities => _capabilities.Value;

    /// <inheritdoc/>
    public IAddressSpace Home => _home;

    /// <inheritdoc/>
    public SystemResult<IAddressSpace> CreateAddressSpace() => _children.Create();

    /// <summary>
    /// The address space of any process the caller may look at, for what looks and reads: the inspector and kernel-mode accessors. A pager that was handed the
    /// userfaultfd of another process takes snapshots of it with this.
    /// </summary>
    /// <param name="processId">The process.</param>
    /// <returns>Its address space; calls that would change it answer EOPNOTSUPP, and all answer ESRCH when it is gone.</returns>
    public static IAddressSpace Observe(int processId) => new ForeignAddressSpace(processId);

    /// <inheritdoc/>
    public SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options) => MemoryFileFactory.Create(in options);

    /// <inheritdoc/>
    public IUserfaultfdPoller CreatePoller() => new LinuxUserfaultfdPoller();

    /// <inheritdoc/>
    public void Dispose()
    {
        _children.Dispose();
        _home.Close();
    }
}
