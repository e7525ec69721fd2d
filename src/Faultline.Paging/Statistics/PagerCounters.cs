using System.Threading;

namespace Faultline.Paging;

/// <summary>The counters of one client, or the sums of those that have ended. Safe for concurrent use; allocates nothing.</summary>
internal sealed class PagerCounters
{
    private readonly long[] _values = new long[(int)PagerCounter.Count];

    public LatencyHistogram Latency { get; } = new();

    public void Add(PagerCounter counter, long amount = 1) => Interlocked.Add(ref _values[(int)counter], amount);

    public void AddTo(long[] values)
    {
        for (int i = 0; i < _values.Length; i++)
        {
            values[i] += Volatile.Read(ref _values[i]);
        }
    }

    /// <summary>Adds what another has counted; nobody may count in that one any more.</summary>
    public void Absorb(PagerCounters ended)
    {
        for (int i = 0; i < _values.Length; i++)
        {
            Interlocked.Add(ref _values[i], Volatile.Read(ref ended._values[i]));
        }

        Latency.Absorb(ended.Latency);
    }
}
