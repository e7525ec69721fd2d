namespace Faultline.Mm;

/// <summary>Pages taken out of the resident set under one table's lock, to be counted at once.</summary>
internal struct ZapCounts
{
    private int _file;
    private int _anonymous;
    private int _swap;
    private int _shmem;

    public void Add(CounterKind kind)
    {
        switch (kind)
        {
            case CounterKind.File:
                _file++;
                break;
            case CounterKind.Anonymous:
                _anonymous++;
                break;
            case CounterKind.Swap:
                _swap++;
                break;
            default:
                _shmem++;
                break;
        }
    }

    public readonly void ApplyTo(MmCounters counters)
    {
        Apply(counters, CounterKind.File, _file);
        Apply(counters, CounterKind.Anonymous, _anonymous);
        Apply(counters, CounterKind.Swap, _swap);
        Apply(counters, CounterKind.Shmem, _shmem);
    }

    private static void Apply(MmCounters counters, CounterKind kind, int pages)
    {
        if (pages != 0)
        {
            counters.Add(kind, -pages);
        }
    }
}
