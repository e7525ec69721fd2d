using System;

namespace Faultline.Bench;

/// <summary>A benchmark could not be measured. The message is one sentence that says why.</summary>
public sealed class BenchmarkException : Exception
{
    /// <summary>Says why.</summary>
    public BenchmarkException(string message)
        : base(message)
    {
    }
}
