using System;
using System.IO;

namespace Faultline.Stores;

/// <summary>A request failed in a way that may pass: it is made again.</summary>
/// <param name="reason">What happened, as a sentence without its full stop.</param>
/// <param name="cause">What failed below, if anything did.</param>
/// <param name="retryAfter">How long the other side asks to be left alone, if it does.</param>
public sealed class TransientStoreException(string reason, Exception? cause = null, TimeSpan? retryAfter = null) : IOException(reason, cause)
{
    /// <summary>How long the other side asks to be left alone, or null.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
