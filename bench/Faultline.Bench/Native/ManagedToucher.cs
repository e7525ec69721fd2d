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
        private readonly object _gate = new();
        private bool _isStarted;
        private long _elapsedNs;

        // The thread is made here: starting one allocates, and what is allocated from Start on is counted.
        public Touching(VirtualAddress start, int pages, int cpu)
        {
            _thread = new Thread(() => Touch(start, pages, cpu)) { IsBackground = true, Name = "bench toucher" };
            _thread.Start();
        }

        public void Start()
        {
            lock (_gate)
            {
                _isStarted = true;
                Monitor.Pulse(_gate);
            }
        }

        public long Finish()
        {
            _thread.Join();
            return _elapsedNs;
        }

        private void Touch(VirtualAddress start, int pages, int cpu)
        {
            NativeSymbols.PinCurrentThread(cpu);
            lock (_gate)
            {
                while (!_isStarted)
                {
                    Monitor.Wait(_gate);
                }
            }

            long begin = Stopwatch.GetTimestamp();
            NativeSymbols.TouchPages(start, pages);
            _elapsedNs = (long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds;
        }
    }
}
