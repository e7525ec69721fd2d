using Faultline;

namespace TestYourPager;

/// <summary>
/// A handler of page faults: brings pages full of <see cref="Source"/>, zeroes where the client has thrown a page away, and knows what was written.
/// </summary>
public interface IHandler
{
    /// <summary>The first word of every page of the source.</summary>
    const ulong Source = 0x5050505050505050;

    IUserfaultfd Context { get; }

    /// <summary>Serves faults until <see cref="Stop"/>; more than one thread may.</summary>
    void Serve();

    void Stop();

    /// <summary>Whether a page was written since it was brought.</summary>
    bool IsDirty(VirtualAddress page);
}
