using System;
using System.Runtime.InteropServices;

namespace Faultline.Bench;

/// <summary>The touching thread of <c>toucher.c</c>, the same code that the C handler is measured with.</summary>
internal sealed unsafe class CompiledToucher : IToucher, IDisposable
{
    private readonly nint _library;
    private readonly delegate* unmanaged<nint, nint, int, nint> _start;
    private readonly delegate* unmanaged<nint, nint> _finish;

    /// <summary>Loads the shared library.</summary>
    public CompiledToucher(string library)
    {
        _library = NativeLibrary.Load(library);
        _start = (delegate* unmanaged<nint, nint, int, nint>)NativeLibrary.GetExport(_library, "start_touching");
        _finish = (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(_library, "finish_touching");
    }

    /// <inheritdoc/>
    public ITouching Prepare(VirtualAddress start, int pages, int cpu) => new Touching(this, start, pages, cpu);

    /// <summary>Unloads the shared library; no thread of it may be left.</summary>
    public void Dispose() => NativeLibrary.Free(_library);

    private sealed class Touching(CompiledToucher owner, VirtualAddress start, int pages, int cpu) : ITouching
    {
        private nint _thread;

        public void Start()
        {
            _thread = owner._start((nint)start.Value, pages, cpu);
            if (_thread == 0)
            {
                throw new BenchmarkException("The touching thread could not be started.");
            }
        }

        public long Finish()
        {
            nint answer = owner._finish(_thread);
            return answer >= 0 ? answer : throw new BenchmarkException($"The touching thread failed with {(Errno)(-answer)}.");
        }
    }
}
