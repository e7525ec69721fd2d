namespace Faultline.Verification.Pagers;

/// <summary>An engine whose pollers also take <see cref="TroubledUserfaultfd"/>. Whoever made the inner engine ends it.</summary>
internal sealed class TroubledEngine(IMemoryEngine inner) : IMemoryEngine
{
    public string Name => inner.Name;

    public EngineCapabilities Capabilities => inner.Capabilities;

    public IAddressSpace Home => inner.Home;

    public SystemResult<IAddressSpace> CreateAddressSpace() => inner.CreateAddressSpace();

    public SystemResult<IMemoryFile> CreateMemoryFile(in MemoryFileOptions options) => inner.CreateMemoryFile(in options);

    public IUserfaultfdPoller CreatePoller() => new TroubledPoller(inner.CreatePoller());

    public void Dispose()
    {
        // See above.
    }
}
