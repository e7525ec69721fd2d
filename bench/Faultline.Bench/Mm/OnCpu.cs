using System;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace Faultline.Bench;

/// <summary>Runs a piece of a round on a thread of its own that is pinned to one CPU.</summary>
internal static class OnCpu
{
    /// <summary>Runs it to its end.</summary>
    public static T Run<T>(int cpu, Func<T> measure)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                NativeSymbols.PinCurrentThread(cpu);
                result = measure();
            }
            catch (Exception error) when (error is BenchmarkException or MemoryEngineException)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        })
        {
            Name = "bench round",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }
}
