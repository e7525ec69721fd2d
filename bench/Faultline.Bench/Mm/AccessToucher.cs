using System.Diagnostics;
using System.Threading;

namespace Faultline.Bench;

/// <summary>The faulting thread on an engine of managed memory: one load of each page through an accessor.</summary>
internal sealed class AccessToucher(IAddressSpace space) : IToucher
{
    public ITouching Prepare(VirtualAddress start, int pages, int cpu) => new Touching(space, start, pages, cpu);

    private sealed class Touching : ITouching
    {
        private readonly IMemoryAccess _access;
        private readonly Thread _thread;
        private readonly object _gate = new();
        private bool _isStarted;
        private long _elapsedNs;
        private AccessResult _failure;

        // The thread is made here: starting one allocates, and what is allocated from Start on is counted.
        public Touching(IAddressSpace space, VirtualAddress start, int pages, int cpu)
        {
            _access = space.OpenAccess().OrThrow("opening an accessor");
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
            _access.Dispose();
            return _failure.IsOk ? _elapsedNs : throw new BenchmarkException($"A load at {_failure.Address} ended with {_failure.Fault}.");
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
            for (int page = 0; page < pages && _failure.IsOk; page++)
            {
                _failure = LoadOne(start + ((ulong)page * PageSize.Small));
            }

            _elapsedNs = (long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds;
        }

        private AccessResult LoadOne(VirtualAddress address) => _access.Load(address, out _);
    }
}
