using System;
using System.Threading;

namespace Faultline.Linux;

/// <summary>The memory manager of the running Linux kernel.</summary>
public sealed class LinuxEngine : IMemoryEngine
{
    private readonly HomeAddressSpace _home = new();
    private readonly Lazy<EngineCapabilities> _capabilities = new(KernelCapabilities.Find, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <inheritdoc/>
    public string Name => "linux";

    /// <inheritdoc/>
    public EngineCapabilities Capabilities => _capabilities.Value;

    /// <inheritdoc/>
    public IAddressSpace Home => _home;

    /// <inheritdoc/>
    public SystemResult<IAddressSpace> CreateAddressSpace() => new(null!, Errno.EOPNOTSUPP);

    /// <inheritdoc/>
    public SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options) => MemoryFileFactory.Create(in options);

    /// <inheritdoc/>
    public IUserfaultfdPoller CreatePoller() => new LinuxUserfaultfdPoller();

    /// <inheritdoc/>
    public void Dispose() => _home.Close();
}
