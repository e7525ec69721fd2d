using System.Collections.Generic;
using System.Diagnostics.Metrics;

namespace Faultline.Paging;

/// <summary>Reads what a pager has counted of faults, for <see cref="PagerMetrics"/>.</summary>
internal static class FaultCounts
{
    public static void Kinds(PagerCore pager, List<Measurement<long>> into) => Add(
        pager,
        into,
        TelemetryTag.Kind,
        [
            (PagerCounter.MissingFaults, FaultTimes.Missing),
            (PagerCounter.MinorFaults, FaultTimes.Minor),
            (PagerCounter.WriteProtectFaults, FaultTimes.WriteProtect),
        ]);

    public static void Retries(PagerCore pager, List<Measurement<long>> into) => Add(
        pager,
        into,
        TelemetryTag.Reason,
        [
            (PagerCounter.RetriedSettling, "address_space_changing"),
            (PagerCounter.RetriedRoom, "no_room"),
            (PagerCounter.RetriedUnknown, "unknown_address"),
            (PagerCounter.RetriedEviction, "being_evicted"),
            (PagerCounter.RetriedRace, "overtaken"),
        ]);

    public static void Installed(PagerCore pager, List<Measurement<long>> into) => Add(
        pager,
        into,
        TelemetryTag.Verb,
        [
            (PagerCounter.PagesContinued, FaultTimes.Continue),
            (PagerCounter.PagesCopied, FaultTimes.Copy),
            (PagerCounter.PagesZeroed, FaultTimes.Zeropage),
            (PagerCounter.PagesPoisoned, FaultTimes.Poison),
        ]);

    public static void Joined(PagerCore pager, List<Measurement<long>> into) => AddOne(pager, into, PagerCounter.JoinedFaults);

    public static void Present(PagerCore pager, List<Measurement<long>> into) => AddOne(pager, into, PagerCounter.AlreadyInstalled);

    public static void Wakes(PagerCore pager, List<Measurement<long>> into) => AddOne(pager, into, PagerCounter.Wakes);

    public static void Events(PagerCore pager, List<Measurement<long>> into) => AddOne(pager, into, PagerCounter.Events);

    public static void InFlight(PagerCore pager, List<Measurement<long>> into)
    {
        long waiting = 0;
        foreach (LoadTable table in pager.Tables)
        {
            waiting += table.InFlight().Waiters;
        }

        into.Add(new(waiting, pager.NameTag, new(TelemetryTag.State, "loading")));
        into.Add(new(pager.Parking.Count, pager.NameTag, new(TelemetryTag.State, "put_aside")));
    }

    public static void Clients(PagerCore pager, List<Measurement<long>> into)
    {
        long clients = 0;
        foreach (PagerClient? client in pager.Clients)
        {
            clients += client is null ? 0 : 1;
        }

        into.Add(new(clients, pager.NameTag));
    }

    private static void AddOne(PagerCore pager, List<Measurement<long>> into, PagerCounter counter) =>
        into.Add(new(pager.CounterTotals()[(int)counter], pager.NameTag));

    private static void Add(PagerCore pager, List<Measurement<long>> into, string tag, (PagerCounter Counter, string Value)[] rows)
    {
        long[] totals = pager.CounterTotals();
        foreach ((PagerCounter counter, string value) in rows)
        {
            into.Add(new(totals[(int)counter], pager.NameTag, new(tag, value)));
        }
    }
}
