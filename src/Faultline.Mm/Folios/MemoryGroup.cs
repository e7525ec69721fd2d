using System.Threading;

namespace Faultline.Mm;

/// <summary>A control group that memory is charged to, with a limit (Linux: <c>mem_cgroup</c>).</summary>
internal sealed class MemoryGroup
{
    /// <summary>Pages charged. Guard: atomic.</summary>
    private long _chargedPages;

    private long _limitPages;

    public MemoryGroup(int id, long limitPages)
    {
        Id = id;
        _limitPages = limitPages;
    }

    /// <summary>What <see cref="Frame.Group"/> holds for a page charged here; never zero.</summary>
    public int Id { get; }

    public long ChargedPages => Volatile.Read(ref _chargedPages);

    /// <summary>The most pages that may be charged. A lower limit than what is charged only refuses new charges.</summary>
    public long LimitPages
    {
        get => Volatile.Read(ref _limitPages);
        set => Volatile.Write(ref _limitPages, value);
    }

    /// <summary>Charges pages, or does nothing if that would exceed the limit.</summary>
    public bool TryCharge(int pages)
    {
        if (Interlocked.Add(ref _chargedPages, pages) <= LimitPages)
        {
            return true;
        }

        Interlocked.Add(ref _chargedPages, -pages);
        return false;
    }

    public void Uncharge(int pages) => Interlocked.Add(ref _chargedPages, -pages);
}
