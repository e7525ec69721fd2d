using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Stop 5: the life of a fault, and the only file that knows its order. Batch, plan, load, install, wake; each is a file of its own beside
/// this one, and none calls an earlier one.
/// What has to be done again goes to the end of the worker's queue, or is put aside and comes back with a later batch.
/// </summary>
internal sealed class FaultLoop(PagerCore core)
{
    /// <summary>How often a fault is planned anew at once, because something changed under it, before it is put aside.</summary>
    private const int ImmediateAttempts = 4;

    /// <summary>What a handler thread does until the pager closes.</summary>
    public void Run(FaultWorker worker)
    {
        while (true)
        {
            SystemResult<int> ready = core.Poller.Wait(worker.Ready, core.Parking.NextDueMs());
            if (ready.Errno == Errno.ECANCELED)
            {
                return;
            }

            core.LifeSigns.Give();
            core.TakeEndedLoads(worker);
            core.Parking.TakeDue(worker);
            for (int i = 0; i < ready.Value; i++)
            {
                if (core.FindClient(worker.Ready[i]) is { } client)
                {
                    Serve(client, worker);
                }
            }

            Work(worker);
            if (worker.MustPause)
            {
                worker.MustPause = false;
                worker.Pause();
            }
        }
    }

    /// <summary>
    /// Reads and resolves while several threads fault, for a while: then the next faults are there already, and a read costs less than a
    /// wait. A single thread faults again only
    /// after it has run, so a read right after its fault would find nothing.
    /// </summary>
    private void Serve(PagerClient client, FaultWorker worker)
    {
        const int BatchesInARow = 16;
        for (int i = 0; i < BatchesInARow && FaultBatch.Read(core, client, worker); i++)
        {
            bool isSingle = worker.Count == 1;
            Work(worker);
            if (isSingle)
            {
                return;
            }
        }
    }

    /// <summary>Carries every fault of the worker as far as it gets now.</summary>
    public void Work(FaultWorker worker)
    {
        while (worker.TryTake(out PageFault fault))
        {
            Resolve(in fault, worker);
        }
    }

    /// <summary>Reads the store for a load and ends it, if the store answers at once; else a handler thread ends it later.</summary>
    public void Bring(PageLoad load, FaultWorker worker)
    {
        LoadTable table = load.Table;
        core.WakeEvictor(table);
        if (!Evict.MakeRoom(table, worker))
        {
            NoRoomException cause = table.Writes?.LastFailure is { } failure
                ? new($"The budget of {core.Options.BudgetBytes} bytes is taken by pages that were written and could not be stored.", failure)
                : new($"The budget of {core.Options.BudgetBytes} bytes is taken by leases, or by pages that were written and are not stored yet.");
            if (!load.IsGuess)
            {
                core.Log.NoRoom(table.Image.Name, table.BudgetPages * (long)PageSize.Small);
            }

            table.GiveBack(load, worker, FaultGoal.Room, cause);
            core.Loads.Return(load);
            return;
        }

        if (load.Read())
        {
            PageFill.End(core, load, worker);
        }
    }

    private void Resolve(in PageFault fault, FaultWorker worker)
    {
        bool isTimed = PagerMetrics.IsTimed;
        if (isTimed)
        {
            FaultTimes.TakenUp(core, in fault);
        }

        switch (fault.Goal)
        {
            case FaultGoal.Settle:
                core.Parking.Put(in fault, PagerCounter.RetriedSettling);
                return;
            case FaultGoal.Room:
                PutAsideUntilDeadline(in fault, worker, PagerCounter.RetriedRoom);
                return;
            case FaultGoal.Wake:
                Wake(in fault, worker);
                return;
        }

        PagerClient client = fault.Client;
        PagePlan plan;
        InstallEnd end = default;
        long begun = 0;
        long installed = 0;
        bool isOwed = false;
        using (RankedSharedLock.ReadScope held = client.Guard.EnterRead())
        {
            if (client.HasEnded)
            {
                return;
            }

            // Look-up and install under one hold of the lock: no event can be read, and so no page dropped, between the two.
            plan = worker.IsWoken(in fault) ? new PagePlan(PlanKind.Settled) : FaultPlan.Make(core, in fault);
            if (plan.Kind is PlanKind.Continue or PlanKind.ContinueWritable or PlanKind.Zero or PlanKind.Poison or PlanKind.Unprotect)
            {
                begun = isTimed ? core.Now() : 0;
                end = Install(in fault, in plan, worker);
                installed = isTimed ? core.Now() : 0;
                isOwed = worker.Owed.Length != 0;
                FaultWake.Pay(worker, client);
            }
        }

        if (begun != 0)
        {
            FaultTimes.Installed(core, FaultTimes.VerbOf(plan.Kind), begun, installed);
            FaultTimes.Woken(core, isOwed ? installed : 0);
        }

        Follow(in fault, in plan, end, worker);
        Guess(in fault, in plan);
    }

    /// <summary>After everything that is wanted: what may be wanted next.</summary>
    private static void Guess(in PageFault fault, in PagePlan plan)
    {
        if (plan.Region is { Pages.Guesses: { } guesses } region && plan.Kind is PlanKind.Load or PlanKind.Continue or PlanKind.Zero or PlanKind.Joined)
        {
            TouchOutcome outcome = plan.Kind == PlanKind.Load ? TouchOutcome.Loaded : plan.IsGuessed ? TouchOutcome.Guessed : TouchOutcome.Cached;
            int first = region.Pages.TablePage(plan.Page);
            guesses.Observe(new PageNeed(region.Pages.TablePage(region.PageOf(fault.Address)), first, first + plan.Count, outcome));
        }
    }

    private InstallEnd Install(in PageFault fault, in PagePlan plan, FaultWorker worker)
    {
        PagerClient client = fault.Client;
        Region region = plan.Region!;
        InstallEnd end = plan.Kind switch
        {
            PlanKind.Continue => PageInstall.Run(InstallVerb.Continue, client, region, plan.Page, plan.Count, default, worker),
            PlanKind.ContinueWritable => PageInstall.Run(InstallVerb.ContinueWritable, client, region, plan.Page, plan.Count, default, worker),
            PlanKind.Zero => PageFill.InstallZero(core, client, region, plan.Page, plan.Count, worker),
            PlanKind.Poison => PageInstall.Run(InstallVerb.Poison, client, region, plan.Page, 1, default, worker),
            _ => PageInstall.Unprotect(client, region, plan.Page, plan.Count, worker),
        };
        if (end.Action == InstallAction.Done && plan.Kind != PlanKind.Unprotect)
        {
            worker.NoteWoken(client, region.AddressesOf(plan.Page, plan.Count), fault.Batch);
            if (plan.Kind != PlanKind.Poison && region.Pages.Table.FillsCache)
            {
                region.Pages.Table.MarkUsed(region.Pages.TablePage(region.PageOf(fault.Address)));
                region.Pages.Image.Recorder?.Note(region.Pages.TablePage(plan.Page), plan.Count, fault.Kind, fault.IsWrite);
            }
        }

        return end;
    }

    /// <summary>What comes after the plan, and after the install if it was one. No lock is held.</summary>
    private void Follow(in PageFault fault, in PagePlan plan, InstallEnd end, FaultWorker worker)
    {
        switch (plan.Kind)
        {
            case PlanKind.Settled:
                Settle(in fault);
                return;
            case PlanKind.Load:
                Bring(plan.Load!, worker);
                return;
            case PlanKind.Joined:
                fault.Client.Counters.Add(PagerCounter.JoinedFaults);
                if (plan.IsGuessed)
                {
                    core.Prefetcher.EndWanted(worker);
                }

                return;
            case PlanKind.Again:
                TryAgain(in fault, worker);
                return;
            case PlanKind.Park:
                core.Parking.Put(in fault, PagerCounter.RetriedEviction);
                return;
            case PlanKind.Unknown:
                PutAsideUntilDeadline(in fault, worker, PagerCounter.RetriedUnknown);
                return;
        }

        LoadTable table = plan.Region!.Pages.Table;
        switch (end.Action)
        {
            case InstallAction.Done:
                if (plan.Kind == PlanKind.Poison)
                {
                    core.Log.PageMadeError(fault.Client.Name, fault.Address, table.Image.Name, table.OffsetOf(plan.Region.Pages.TablePage(plan.Page)));
                }

                Settle(in fault);
                break;
            case InstallAction.Park:
                core.Parking.Put(in fault, PagerCounter.RetriedSettling);
                break;
            case InstallAction.Reload when plan.Region.Pages.WritesBack && table.Writes!.NoteHole(plan.Region.Pages.TablePage(end.Page)):
                InstallDropped(in fault, plan.Region, end.Page, worker);
                break;
            case InstallAction.Reload:
                table.LoseToHole(plan.Region.Pages.TablePage(end.Page));
                TryAgain(in fault, worker);
                break;
            case InstallAction.Materialise:
                table.Materialise(plan.Region.Pages.TablePage(end.Page));
                TryAgain(in fault, worker);
                break;
            case InstallAction.MakeRoom when Evict.TryOne(table, worker):
                TryAgain(in fault, worker);
                break;
            case InstallAction.MakeRoom:
                PutAsideUntilDeadline(in fault, worker, PagerCounter.RetriedRoom);
                break;
            case InstallAction.ClientGone:
                core.EndClient(fault.Client, ClientEnd.Exited);
                break;
            default:
                worker.Put(fault.For(FaultGoal.Poison));
                break;
        }
    }

    /// <summary>A client has dropped a page of a shared image: it is zero now, for all, whatever the store has.</summary>
    private void InstallDropped(in PageFault fault, Region region, int page, FaultWorker worker)
    {
        using (RankedSharedLock.ReadScope held = fault.Client.Guard.EnterRead())
        {
            if (!fault.Client.HasEnded)
            {
                PageFill.InstallZero(core, fault.Client, region, page, 1, worker);
                FaultWake.Pay(worker, fault.Client);
            }
        }

        TryAgain(in fault, worker);
    }

    private void Wake(in PageFault fault, FaultWorker worker)
    {
        long begun = FaultTimes.Begin(core);
        if (!worker.IsWoken(in fault))
        {
            using RankedSharedLock.ReadScope held = fault.Client.Guard.EnterRead();
            if (fault.Client.HasEnded)
            {
                return;
            }

            Region? region = RegionMap.Find(fault.Client.RegionArray, fault.Address);
            ulong pageBytes = region is null ? PageSize.Small : (ulong)region.Pages.PageBytes;
            FaultWake.Owe(worker, new AddressRange(fault.Address.AlignDown(pageBytes), pageBytes));
            FaultWake.Pay(worker, fault.Client);
        }
        else
        {
            begun = 0;
        }

        FaultTimes.Woken(core, begun);
        Settle(in fault);
    }

    private void Settle(in PageFault fault)
    {
        long now = core.Now();
        fault.Client.Counters.Latency.Record(core.Nanoseconds(fault.ReadAt, now));
        if (PagerMetrics.FaultDuration.Enabled)
        {
            FaultTimes.Settled(core, in fault, now);
        }
    }

    private void TryAgain(in PageFault fault, FaultWorker worker)
    {
        if (fault.Attempts < ImmediateAttempts)
        {
            fault.Client.Counters.Add(PagerCounter.RetriedRace);
            worker.Put(fault.Again());
        }
        else
        {
            core.Parking.Put(in fault, PagerCounter.RetriedRace);
        }
    }

    private void PutAsideUntilDeadline(in PageFault fault, FaultWorker worker, PagerCounter reason)
    {
        if (core.Elapsed(fault.ReadAt, core.Now()) < core.Options.LoadDeadline)
        {
            core.Parking.Put(fault.For(FaultGoal.Resolve), reason);
        }
        else
        {
            core.Log.FaultGivenUp(fault.Client.Name, fault.Address, reason == PagerCounter.RetriedRoom ? "there was no room for it" : "nobody serves it");
            PoisonUnplanned(in fault, worker);
        }
    }

    /// <summary>Makes the fault an error although no room, or no region, was found for it.</summary>
    private void PoisonUnplanned(in PageFault fault, FaultWorker worker)
    {
        PagerClient client = fault.Client;
        InstallEnd end = default;
        using (RankedSharedLock.ReadScope held = client.Guard.EnterRead())
        {
            if (client.HasEnded)
            {
                return;
            }

            if (RegionMap.Find(client.RegionArray, fault.Address) is { } region)
            {
                end = PageInstall.Run(InstallVerb.Poison, client, region, region.PageOf(fault.Address), 1, default, worker);
            }
            else
            {
                AddressRange page = new(fault.Address.AlignDown(PageSize.Small), PageSize.Small);
                client.Context.Poison(page);
                FaultWake.Owe(worker, page);
            }

            FaultWake.Pay(worker, client);
        }

        if (end.Action == InstallAction.ClientGone)
        {
            core.EndClient(client, ClientEnd.Exited);
        }
        else if (end.Action == InstallAction.Done)
        {
            Settle(in fault);
        }
        else
        {
            core.Parking.Put(fault.For(FaultGoal.Poison), PagerCounter.RetriedSettling);
        }
    }
}
