using System;

namespace Faultline.Conformance;

/// <summary>A suite of cases that hold on both engines. A leaf supplies the engine; each case gets an address space of its own.</summary>
public abstract class ConformanceSuite : IDisposable
{
    private readonly EngineHost _host;
    private Testbed? _bed;

    /// <summary>Takes the engine from the leaf.</summary>
    protected ConformanceSuite(EngineHost host)
    {
        _host = host;
    }

    /// <summary>The engine.</summary>
    protected IMemoryEngine Engine => _host.Engine;

    /// <summary>The address space of this case.</summary>
    protected Testbed Bed => _bed ??= new Testbed(_host);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the address space of the case.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _bed?.Dispose();
        }
    }
}
