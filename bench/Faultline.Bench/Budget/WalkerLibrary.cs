using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Faultline.Bench;

/// <summary>The walking threads of <c>walker.c</c>, over memory of this process.</summary>
internal sealed unsafe class WalkerLibrary : IDisposable
{
    private readonly nint _library;
    private readonly delegate* unmanaged<nint, nint, byte*, int, int, nint, nuint, nint> _walk;

    public WalkerLibrary(string library)
    {
        _library = NativeLibrary.Load(library);
        _walk = (delegate* unmanaged<nint, nint, byte*, int, int, nint, nuint, nint>)NativeLibrary.GetExport(_library, "walk");
    }

    /// <summary>Walks, in threads that the runtime does not know, and waits for them in a native call.</summary>
    /// <returns>The nanoseconds it took.</returns>
    /// <exception cref="BenchmarkException">A page had another page's bytes, or the threads could not be made.</exception>
    public long Walk(AddressRange area, WalkSpec spec)
    {
        fixed (byte* pattern = Encoding.ASCII.GetBytes(spec.PatternName + '\0'))
        {
            nint answer = _walk(
                (nint)area.Start.Value, (nint)area.Pages.Value, pattern, spec.IsWrite ? 1 : 0, spec.Threads, (nint)spec.Accesses, (nuint)WalkSpec.Seed);
            return answer switch
            {
                >= 0 => answer,
                -(int)Errno.EIO => throw new BenchmarkException($"{spec}: a page did not have its own bytes."),
                _ => throw new BenchmarkException($"{spec}: the walk failed with {(Errno)(-answer)}."),
            };
        }
    }

    public void Dispose() => NativeLibrary.Free(_library);
}
