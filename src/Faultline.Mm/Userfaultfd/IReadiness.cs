namespace Faultline.Mm;

/// <summary>What wants to hear that a context may have messages: a poller.</summary>
internal interface IReadiness
{
    /// <summary>The context has a message, or had one a moment ago. Called without locks of the context.</summary>
    void Notify();
}
