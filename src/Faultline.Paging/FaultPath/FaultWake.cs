namespace Faultline.Paging;

/// <summary>Stop 10: the wakes still owed. An install that succeeds wakes its own range; pages that were there already, or are gone, wake
/// nobody by themselves.</summary>
internal static class FaultWake
{
    /// <summary>Remembers that whoever waits in a range is to be woken.</summary>
    public static void Owe(FaultWorker worker, AddressRange range)
    {
        AddressRange owed = worker.Owed;
        if (owed.Length == 0)
        {
            worker.Owed = range;
            return;
        }

        // One wake over what lies between is right, too: a thread woken for nothing faults again.
        VirtualAddress start = owed.Start < range.Start ? owed.Start : range.Start;
        VirtualAddress end = owed.End > range.End ? owed.End : range.End;
        worker.Owed = AddressRange.Between(start, end);
    }

    /// <summary>Wakes what is owed. The client's lock is held.</summary>
    public static void Pay(FaultWorker worker, PagerClient client)
    {
        if (worker.Owed.Length != 0)
        {
            client.Context.Wake(worker.Owed);
            client.Counters.Add(PagerCounter.Wakes);
            worker.Owed = default;
        }
    }
}
