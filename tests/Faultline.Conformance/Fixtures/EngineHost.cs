using System;

namespace Faultline.Conformance;

/// <summary>What a test assembly supplies to run the suites: an engine, and the machine's means behind it.</summary>
public abstract class EngineHost : IDisposable
{
    /// <summary>The engine under test, shared by all cases of the assembly.</summary>
    public abstract IMemoryEngine Engine { get; }

    /// <summary>Has 2 MiB hugetlb pages in the pool from now to the end of the run.</summary>
    /// <returns>Null, or the reason why they cannot be had.</returns>
    public abstract string? PrepareHugePages();

    /// <summary>The pool, after <see cref="PrepareHugePages"/>.</summary>
    public abstract HugePagePool ReadHugePagePool();

    /// <summary>Has a swap area from now to the end of the run.</summary>
    /// <returns>Null, or the reason why it cannot be had.</returns>
    public abstract string? PrepareSwap();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what was prepared, and ends the engine.</summary>
    protected abstract void Dispose(bool disposing);
}
