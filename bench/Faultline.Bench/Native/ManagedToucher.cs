using System.Diagnostics;
using System.Threading;

namespace Faultline.Bench;

/// <summary>A touching thread for machines without a C compiler: a managed one that touches each page in a native call.</summary>
internal sealed class ManagedToucher : IToucher
{
    /// <inheritdoc/>
    public ITouching Prepare(VirtualAddress start, int pages, int cpu) => new Touching(start, pages, cpu);

    private sealed class Touching : ITouching
    {
        private readonly Thread _thread;
        private long _elapsedNs;

        public Touching(VirtualAddress start, int pages, int cpu) =>
            _thread = new Thread(() => Touch(start, pages, cpu)) { IsBackground = true, Name = "bench toucher" };

        public void Start() => _thread.Start();

        public long Finish()
        {
            _thread.Join();
            return _elapsedNs;
        }

        private void Touch(VirtualAddress start, int pages, int cpu)
        {
            NativeSymbols.PinCurrentThread(cpu);
            long begin = Stopwatch.GetTimestamp();
            NativeSymbols.TouchPages(start, pages);
            _elapsedNs = (long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds;
        }
    }
}
