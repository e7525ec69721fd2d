using System;
using System.Diagnostics;
using System.Threading;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>A known defect of the kernel: a thread may sleep on beside a page that is poisoned already.</summary>
/// <remarks>
/// A fault looks at the entry, finds nothing, and queues itself a little later. If UFFDIO_POISON comes in between, it has woken whoever slept before this
/// one did, and the last look before sleeping (userfaultfd_must_wait) takes the marker for nothing. In a file whose other pages are in the cache the moment
/// is long: the fault maps the pages around first.
/// </remarks>
public sealed class PoisonBesideFaultTests(LinuxEngineHost host) : ConformanceSuite(host)
{
    private const int WindowPages = 16;
    private const int Absent = WindowPages / 2;
    private static readonly TimeSpan SearchTime = TimeSpan.FromSeconds(20);

    [Fact]
    [Section("4.6")]
    public void Poison_WhileAFaultMapsThePagesAround_KernelLetsTheThreadSleepUntilItIsWoken()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, WindowPages);
        for (int page = 0; page < WindowPages; page++)
        {
            if (page != Absent)
            {
                Bed.FillCache(area, page, (ulong)page);
            }
        }

        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        AddressRange poisoned = area.Page(Absent);
        IMemoryAccess accessor = Bed.TakeAccessor();
        var random = new Random(6);
        long start = Stopwatch.GetTimestamp();
        int tries = 0;
        while (Stopwatch.GetElapsedTime(start) < SearchTime)
        {
            tries++;
            Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
            var load = PendingAccess.Load(accessor, area.At(Absent));
            Thread.SpinWait(random.Next(4000));
            Expect.Filled(monitor.Uffd.Poison(poisoned), poisoned.Length);

            // Its message is there, but poisoning again does not wake it either; only UFFDIO_WAKE does.
            if (IsDoneSoon(load) || !TryTakeMessages(monitor))
            {
                load.AwaitFault(AccessFault.BusError);
                TryTakeMessages(monitor);
                continue;
            }

            Expect.Fails(monitor.Uffd.Poison(poisoned), Errno.EEXIST);
            bool isAsleep = !IsDoneSoon(load);
            Expect.Ok(monitor.Uffd.Wake(poisoned));
            load.AwaitFault(AccessFault.BusError);
            if (isAsleep)
            {
                TestContext.Current.SendDiagnosticMessage($"Asleep beside the poison at try {tries}.");
                return;
            }
        }

        Assert.Skip($"{tries} tries did not hit the moment, or this kernel looks at the marker.");
    }

    private static bool IsDoneSoon(PendingAccess load) => SpinWait.SpinUntil(() => load.IsDone, Deadline.Quiet);

    /// <summary>Reads what is queued; a fault that the poison woke in time is not.</summary>
    private static bool TryTakeMessages(FaultMonitor monitor) => monitor.Uffd.Read(new UserfaultfdMessage[4]).IsOk;
}
