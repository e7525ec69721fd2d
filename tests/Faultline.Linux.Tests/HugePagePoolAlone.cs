using System;
using Faultline.Linux.Machine;

namespace Faultline.Linux.Tests;

/// <summary>Keeps other test processes away from the machine's pool of huge pages while a class counts it.</summary>
public sealed class HugePagePoolAlone : IDisposable
{
    private readonly HugePageUse _use = HugePageUse.Alone();

    /// <inheritdoc/>
    public void Dispose() => _use.Dispose();
}
