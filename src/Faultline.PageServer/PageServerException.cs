using System;

namespace Faultline.PageServer;

/// <summary>A handoff between a process and its page server failed. The message is one sentence and names what to do.</summary>
public sealed class PageServerException : Exception
{
    /// <summary>Describes a handoff that failed.</summary>
    /// <param name="message">One sentence.</param>
    public PageServerException(string message)
        : base(message)
    {
    }
}
