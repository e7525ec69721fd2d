namespace Faultline.Paging.Tests;

/// <summary>An engine whose pollers also take <see cref="GatedUserfaultfd"/>. Everything else is the engine's.</summary>
public sealed class GatedEngine(IMemoryEngine inner) : IMemoryEngine
{
    public string Name => inner.Name;

    public EngineCapabilities Capabilities => inner.Capabilities;

    public IAddressSpace Home => inner.Home;

    public SystemResult<IAddressSpace> CreateAddressSpace() => inner.CreateAddressSpace();

    public SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options) => inner.CreateMemoryFile(in options);

    public IUserfaultfdPoller CreatePoller() => new GatedPoller(inner.CreatePoller());

    public void Dispose()
    {
        // Whoever made the inner engine ends it.
    }
}
