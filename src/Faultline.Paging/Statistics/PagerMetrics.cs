using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// The meter. Counts are observed: the counters are kept anyway, and read only when someone collects. Times of single faults are measured only while
/// someone listens to them.
/// </summary>
internal static class PagerMetrics
{
    private const string Seconds = "s";
    private const string Bytes = "By";

    private static readonly Meter Meter = new(PagingTelemetry.MeterName, typeof(PagerMetrics).Assembly.GetName().Version?.ToString(3));

    /// <summary>From a microsecond to ten seconds.</summary>
    private static readonly InstrumentAdvice<double> FaultBuckets = new()
    {
        HistogramBucketBoundaries = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    };

    /// <summary>The pagers that are open. Replaced, never changed, by compare and exchange.</summary>
    private static PagerCore[] _pagers = [];

    public static readonly Histogram<double> FaultDuration =
        Times("faultline.fault.duration", "From reading a fault's message to waking its thread.");

    public static readonly Histogram<double> QueueDuration =
        Times("faultline.fault.queue_duration", "From reading a fault's message to taking it up.");

    public static readonly Histogram<double> LoadDuration =
        Times("faultline.fault.load_duration", "How long a fault waited for its load, whether it began it or joined it.");

    public static readonly Histogram<double> InstallDuration =
        Times("faultline.fault.install_duration", "One install of pages, whose last part wakes the threads that wait for them.");

    public static readonly Histogram<double> WakeDuration =
        Times("faultline.fault.wake_duration", "One wake apart from an install.");

    public static readonly Histogram<double> StoreReadDuration =
        Times("faultline.store.read_duration", "One read of a store, for one load.");

    static PagerMetrics()
    {
        Count("faultline.fault.count", "{fault}", "Faults read from the engine.", FaultCounts.Kinds);
        Count("faultline.fault.joined", "{fault}", "Faults that joined a load in flight, or another fault of the same batch.", FaultCounts.Joined);
        Count("faultline.fault.retries", "{retry}", "Times a fault was tried again.", FaultCounts.Retries);
        Count("faultline.page.installed", "{page}", "Pages made to appear, or made an error (poison); of 4 KiB.", FaultCounts.Installed);
        Count("faultline.page.present", "{page}", "Pages that were there already when they were to be installed.", FaultCounts.Present);
        Count("faultline.client.wakes", "{wake}", "Wakes that were owed and not part of an install.", FaultCounts.Wakes);
        Count("faultline.client.events", "{event}", "Events read: fork, remap, remove, unmap.", FaultCounts.Events);
        Count("faultline.store.reads", "{read}", "Reads of stores.", ImageCounts.Reads);
        Count("faultline.store.io", Bytes, "Bytes read from stores.", ImageCounts.Io);
        Count("faultline.store.errors", "{load}", "Loads that failed or did not end in time.", ImageCounts.Errors);
        Count("faultline.page.evicted", "{page}", "Pages taken out of the cache to stay under the budget.", ImageCounts.Evicted);
        Count("faultline.page.guessed", "{page}", "Pages brought because they were guessed to be wanted soon.", ImageCounts.Guessed);
        Count("faultline.page.guessed_used", "{page}", "Pages guessed that were wanted afterwards.", ImageCounts.GuessedUsed);
        Count("faultline.page.replayed", "{page}", "Pages installed ahead of a fault by the replay of a working set.", ImageCounts.Replayed);
        Count("faultline.page.stored", "{page}", "Pages that were written, and taken by the store.", ImageCounts.Stored);
        Count("faultline.store.write_errors", "{write}", "Writes to stores that failed.", ImageCounts.WriteErrors);
        Level("faultline.page.unstored", "{page}", "Pages in the cache that were written and are not stored yet.", ImageCounts.Written);
        Level("faultline.fault.in_flight", "{fault}", "Faults that wait: for a load, or put aside.", FaultCounts.InFlight);
        Level("faultline.client.active", "{client}", "Clients attached.", FaultCounts.Clients);
        Level("faultline.load.in_flight", "{load}", "Loads in flight.", ImageCounts.Loads);
        Level("faultline.image.resident", Bytes, "Bytes of an image in the cache.", ImageCounts.Resident);
        Level("faultline.image.budget", Bytes, "The most bytes of an image that may be in the cache, where there is a limit.", ImageCounts.Budget);
    }

    /// <summary>Whether someone listens to the times of single faults.</summary>
    public static bool IsTimed =>
        FaultDuration.Enabled || QueueDuration.Enabled || LoadDuration.Enabled || InstallDuration.Enabled || WakeDuration.Enabled;

    /// <summary>The pagers that are open.</summary>
    public static PagerCore[] Pagers => Volatile.Read(ref _pagers);

    /// <summary>Begins to report a pager.</summary>
    /// <returns>Its name: the one wanted, with a number if another pager has it.</returns>
    public static string Add(PagerCore pager, string wanted)
    {
        if (Seam.IsScheduled)
        {
            // A schedule that is cut short ends no pager: all of them would be kept here.
            return wanted;
        }

        while (true)
        {
            PagerCore[] before = Pagers;
            string name = wanted;
            for (int number = 2; Array.Exists(before, other => other.Name == name); number++)
            {
                name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{wanted}-{number}");
            }

            pager.Name = name;
            if (Interlocked.CompareExchange(ref _pagers, [.. before, pager], before) == before)
            {
                return name;
            }
        }
    }

    /// <summary>Reports a pager no more.</summary>
    public static void Remove(PagerCore pager)
    {
        PagerCore[] before;
        do
        {
            before = Pagers;
        }
        while (Interlocked.CompareExchange(ref _pagers, Array.FindAll(before, other => other != pager), before) != before);
    }

    private static Histogram<double> Times(string name, string description) => Meter.CreateHistogram(name, Seconds, description, tags: null, FaultBuckets);

    private static void Count(string name, string unit, string description, Action<PagerCore, List<Measurement<long>>> observe) =>
        Meter.CreateObservableCounter(name, () => Observe(observe), unit, description);

    private static void Level(string name, string unit, string description, Action<PagerCore, List<Measurement<long>>> observe) =>
        Meter.CreateObservableUpDownCounter(name, () => Observe(observe), unit, description);

    private static List<Measurement<long>> Observe(Action<PagerCore, List<Measurement<long>>> observe)
    {
        List<Measurement<long>> measurements = [];
        foreach (PagerCore pager in Pagers)
        {
            observe(pager, measurements);
        }

        return measurements;
    }
}
