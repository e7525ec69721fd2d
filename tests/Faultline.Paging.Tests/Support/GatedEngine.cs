namespace Faultline.Paging.Tests;

/// <summary>
/// An engine whose pollers also take <see cref="GatedUserfaultfd"/> and may be full, and whose files may be short of space. Everything else is the engine's.
/// </summary>
public sealed class GatedEngine(IMemoryEngine inner, ulong fileLimitBytes = 0) : IMemoryEngine
{
    private volatile bool _arePollersFull;

    /// <summary>Whether pollers answer that no more contexts can be waited on (epoll's limit of watches).</summary>
    public bool ArePollersFull
    {
        get => _arePollersFull;
        set => _arePollersFull = value;
    }

    public string Name => inner.Name;

    public EngineCapabilities Capabilities => inner.Capabilities;

    public IAddressSpace Home => inner.Home;

    public SystemResult<IAddressSpace> CreateAddressSpace() => inner.CreateAddressSpace();

    public SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options) =>
        inner.CreateMemoryFile(fileLimitBytes == 0 ? options : options with { LimitBytes = fileLimitBytes });

    public IUserfaultfdPoller CreatePoller() => new GatedPoller(inner.CreatePoller(), () => ArePollersFull);

    public void Dispose()
    {
        // Whoever made the inner engine ends it.
    }
}
