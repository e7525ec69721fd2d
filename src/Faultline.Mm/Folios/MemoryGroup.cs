using System.Runtime.CompilerServices;
using System.Threading;

namespace Faultline.Mm;

/// <summary>A control group that memory is charged to, with a limit (Linux: <c>mem_cgroup</c>).</summary>
/// <remarks>
/// Single pages are charged in batches, and what is left of a batch lies ready for the next charge by the same processor (Linux:
/// <c>memcg_stock_pcp</c>). Near the limit the stocks are taken back, so that the limit is exact.
/// </remarks>
internal sealed class MemoryGroup
{
    /// <summary>Pages charged at a time (Linux: <c>MEMCG_CHARGE_BATCH</c>).</summary>
    private const int Batch = 64;

    private const int MostInStock = 2 * Batch;

    private const int Stride = ProcessorStripes.Bytes / sizeof(long);

    /// <summary>Pages charged here that no folio has. Guard: atomic. A stripe before the first keeps the array's length apart.</summary>
    private readonly long[] _stocks = new long[(ProcessorStripes.Count + 1) * Stride];

    /// <summary>Pages charged, the stocks included. Guard: atomic.</summary>
    private long _chargedPages;

    private long _limitPages;

    public MemoryGroup(int id, long limitPages)
    {
        Id = id;
        _limitPages = limitPages;
    }

    /// <summary>What <see cref="Frame.Group"/> holds for a page charged here; never zero.</summary>
    public int Id { get; }

    /// <summary>The pages that folios have. Exact while nobody charges.</summary>
    public long ChargedPages
    {
        get
        {
            long charged = Volatile.Read(ref _chargedPages);
            for (int stripe = 0; stripe < ProcessorStripes.Count; stripe++)
            {
                charged -= Volatile.Read(ref StockOf(stripe));
            }

            return charged;
        }
    }

    /// <summary>The most pages that may be charged. A lower limit than what is charged only refuses new charges.</summary>
    public long LimitPages
    {
        get => Volatile.Read(ref _limitPages);
        set
        {
            Volatile.Write(ref _limitPages, value);
            TakeStocksBack();
        }
    }

    /// <summary>Charges pages, or does nothing if that would exceed the limit.</summary>
    public bool TryCharge(int pages)
    {
        ref long stock = ref StockOf(ProcessorStripes.Current);
        if (pages == 1 && TryTakeOne(ref stock))
        {
            return true;
        }

        if (pages < Batch && TryChargeExactly(Batch))
        {
            Interlocked.Add(ref stock, Batch - pages);
            return true;
        }

        if (TryChargeExactly(pages))
        {
            return true;
        }

        TakeStocksBack();
        return TryChargeExactly(pages);
    }

    public void Uncharge(int pages)
    {
        ref long stock = ref StockOf(ProcessorStripes.Current);
        bool isStocked = pages < Batch
            && Volatile.Read(ref stock) + pages <= MostInStock
            && Volatile.Read(ref _chargedPages) <= LimitPages;
        if (isStocked)
        {
            Interlocked.Add(ref stock, pages);
        }
        else
        {
            Interlocked.Add(ref _chargedPages, -pages);
        }
    }

    private static bool TryTakeOne(ref long stock)
    {
        long seen = Volatile.Read(ref stock);
        while (seen > 0)
        {
            long found = Interlocked.CompareExchange(ref stock, seen - 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Never more than the limit, not even for a moment: another thread's charge must not fail by it.</summary>
    private bool TryChargeExactly(int pages)
    {
        long seen = Volatile.Read(ref _chargedPages);
        while (seen + pages <= LimitPages)
        {
            long found = Interlocked.CompareExchange(ref _chargedPages, seen + pages, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    private void TakeStocksBack()
    {
        for (int stripe = 0; stripe < ProcessorStripes.Count; stripe++)
        {
            long pages = Interlocked.Exchange(ref StockOf(stripe), 0);
            if (pages != 0)
            {
                Interlocked.Add(ref _chargedPages, -pages);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref long StockOf(int stripe) => ref _stocks[(stripe + 1) * Stride];
}
