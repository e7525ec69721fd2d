using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;

namespace Faultline.Verification.Kernel;

/// <summary>One program on both engines, a step at a time, compared after every step.</summary>
internal sealed class PairRun : IDisposable
{
    /// <summary>How long engines that disagree on who sleeps are given to come round.</summary>
    private static readonly TimeSpan SecondLook = TimeSpan.FromMilliseconds(100);

    private const int PageOutRetries = 8;
    private static readonly TimeSpan PageOutPause = TimeSpan.FromMilliseconds(2);

    private readonly EnginePair _engines;
    private readonly PairRunMode _mode;
    private readonly SideObservation _linuxSeen;
    private readonly SideObservation _managedSeen;
    private readonly KindMap _kinds = new();
    private readonly SleepForesight _foresight;
    private readonly SleeperOrder _order;
    private readonly SwapReturns _returns = new();
    private long _began;
    private volatile bool _gaveUp;
    private bool _isArmed;
    private bool _haveMappingsChanged = true;
    private IReadOnlyList<VmaInfo> _mappings = [];

    /// <param name="engines">The engines.</param>
    /// <param name="mode">How much is taken for granted.</param>
    public PairRun(EnginePair engines, PairRunMode mode = PairRunMode.Careful)
    {
        _engines = engines;
        _mode = mode;
        _linuxSeen = engines.LinuxSeen.Cleared();
        _managedSeen = engines.ManagedSeen.Cleared();
        Linux = new EngineSide(engines.Linux, engines.LinuxActors, engines.Processors, mode == PairRunMode.Quick ? engines.TakeSpare() : null);
        Managed = new EngineSide(engines.Managed, engines.ManagedActors, engines.Processors, spare: null);
        _foresight = new SleepForesight(this);
        _order = new SleeperOrder(this);
        engines.Current = this;
    }

    public EngineSide Linux { get; }

    public EngineSide Managed { get; }

    /// <summary>Steps done.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Several actors went on at once and touched what their order decides (which neighbours are mapped along, which page is in the cache already): the
    /// kernel is free there, and what follows cannot be compared.
    /// </summary>
    public bool IsUnordered { get; private set; }

    /// <summary>The rules for known differences that came up without ending the program.</summary>
    public List<string> Excused { get; } = [];

    /// <summary>What the last step answered.</summary>
    public StepOutcome LastOutcome { get; private set; }

    /// <summary>Whether the program uses the area for huge pages.</summary>
    public bool IsWide { get; private set; }

    /// <summary>What the first entry of a page was after the last step; the engines agree on it.</summary>
    public EntryState StateOf(int page) => Coverage.StateOf(EntryAt(0, page));

    /// <summary>The mappings in the arena.</summary>
    public IReadOnlyList<VmaInfo> Mappings
    {
        get
        {
            if (_haveMappingsChanged)
            {
                _mappings = Managed.Spaces[0]!.Inspector.GetMappings(Arena.Range).Value;
                if (IsWide)
                {
                    _mappings = [.. _mappings, .. Managed.Spaces[0]!.Inspector.GetMappings(Arena.HugeRange).Value];
                }
                _haveMappingsChanged = false;
            }

            return _mappings;
        }
    }

    /// <summary>What kind of memory was mapped at a page last.</summary>
    public MapKind? KindOf(int page) => _kinds[page];

    /// <summary>When the step under way began; zero if none is. For the watchdog.</summary>
    public long Began => Volatile.Read(ref _began);

    /// <summary>
    /// Ends the kernel's address spaces under a step that does not come back, from another thread: the step answers then, and the run ends with it.
    /// </summary>
    public void GiveUp()
    {
        _gaveUp = true;
        foreach (IAddressSpace? space in (IEnumerable<IAddressSpace?>)[.. Linux.Spaces, .. Managed.Spaces])
        {
            space?.Dispose();
        }
    }

    /// <summary>Does a step on both engines and compares.</summary>
    /// <param name="step">The step.</param>
    /// <param name="closely">Whether mappings, counters and all contents are compared too.</param>
    /// <returns>Null, or where they part; then the run is over.</returns>
    public Difference? Do(in Step step, bool closely)
    {
        int index = Count++;
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        Difference? difference;
        try
        {
            difference = DoUnwatched(in step, index, closely);
        }
        catch (Exception failure) when (Part(index, failure) is not null)
        {
            difference = Part(index, failure);
        }

        Volatile.Write(ref _began, 0);
        return difference is null && !_gaveUp ? null : Ended(index, $"'{step}'") ?? difference;
    }

    // A process that is gone explains whatever else is seen of it.
    private Difference? Ended(int index, string what) =>
        _gaveUp ? new(index, what, "did not come back from the call", "not looked at")
        : Linux.HowItEnded is { } end ? new(index, $"life of the process in {what}", end, "lives")
        : null;

    // What cannot be looked at, because the process is gone or actors neither sleep nor finish, is a difference; anything else is a mistake of this program.
    private Difference? Part(int index, Exception failure) => failure is TimeoutException stuck ? Stuck(index, stuck) : Ended(index, "looking");

    private Difference? DoUnwatched(in Step step, int index, bool closely)
    {
        int running = Managed.Running;
        if (LeftOutSteps.Has(in step, this, _managedSeen) || StaleTranslations.MayServe(in step, Linux, Mappings))
        {
            LastOutcome = new(OutcomeKind.Busy);
            return null;
        }

        (StepOutcome linux, StepOutcome managed) = DoOnBoth(in step, running);
        LastOutcome = managed;
        if (linux != managed || linux.Kind == OutcomeKind.Threw)
        {
            Difference difference = new(index, $"the answer of '{step}'", linux.ToString(), managed.ToString());
            if (step.Verb != StepVerb.RaceMove || ExplainedDifferences.Explain(difference with { Index = 0 }, [step]) is not { } rule)
            {
                return difference;
            }

            // The race is cleaned up behind, so the program goes on, and is the same whether the kernel has met its defect this time or not.
            linux = managed;
            Excused.Add(rule);
        }

        Note(in step, in linux);
        return (WakesNobody(step.Verb, running) ? null : Completions(in step, index, running)) ?? (IsUnordered ? null : Observe(in step, index, closely));
    }

    // A thread of its own costs more than most steps. So in a quick run a step that cannot sleep by what is registered is done here, and on the managed engine
    // also one that did not sleep on the kernel; events aside, of which the kernel is known to forget some. If that was wrong, the watchdog ends the run, and
    // the repetition shows it.
    private (StepOutcome Linux, StepOutcome Managed) DoOnBoth(in Step step, int running)
    {
        if (step.Verb == StepVerb.Advise && (Advice)step.Mode == Advice.PageOut)
        {
            Unsettle(Unsettled.LockedAndProtected);
            _engines.DrainPageVectors();
        }

        bool isEvent = _foresight.MayWaitForEvent(in step);
        bool isMapping = running != 0 && SleepForesight.ChangesMappings(step.Verb);
        bool isRead = step.Verb == StepVerb.ReadMessages && ContextSums.IsBlocking(Managed.Contexts[step.Context]);
        if (!isEvent && !isMapping && !isRead && !(_isArmed && _foresight.MaySleep(in step)))
        {
            return (Linux.Execute(in step, -1), Managed.Execute(in step, -1));
        }

        PairRunMode mode = isEvent || isMapping || isRead || _foresight.TouchesWatched(in step) ? PairRunMode.Careful : _mode;
        StepOutcome linux = Linux.Perform(in step, isEvent, mode);
        StepOutcome managed = Managed.Perform(in step, isEvent, isEvent || isRead || linux.Kind == OutcomeKind.Asleep ? PairRunMode.Careful : _mode);
        if ((linux.Kind == OutcomeKind.Asleep) != (managed.Kind == OutcomeKind.Asleep))
        {
            WaitForAgreement();
            linux = Linux.Latest(in step, in linux);
            managed = Managed.Latest(in step, in managed);
        }

        return (linux, managed);
    }

    // A moment that was taken for sleep passes; a sleep does not.
    private void WaitForAgreement()
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            Linux.Settle();
            Managed.Settle();
        }
        while (Linux.Running != Managed.Running && Stopwatch.GetElapsedTime(start) < SecondLook);
    }

    /// <summary>Closes all contexts, waits for every actor, and looks a last time.</summary>
    public Difference? Finish()
    {
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        Difference? difference;
        try
        {
            difference = FinishUnwatched();
        }
        catch (Exception failure) when (Part(Count, failure) is not null)
        {
            difference = Part(Count, failure);
        }

        Volatile.Write(ref _began, 0);
        return difference is null && !_gaveUp ? null : Ended(Count, "the end of the program") ?? difference;
    }

    private Difference? FinishUnwatched()
    {
        int running = Managed.Running;
        Linux.CloseAll();
        Managed.CloseAll();
        Step nothing = new() { Pages = Arena.Pages };
        Difference? difference = Completions(in nothing, Count, running, canAsleep: false) ?? (IsUnordered ? null : Observe(in nothing, Count, closely: true));
        if (difference is not null)
        {
            return difference;
        }

        IReadOnlyList<string> violations = ((Mm.ManagedEngine)Managed.Engine).FindViolations();
        return violations.Count == 0 ? null : new(Count, "the managed engine's own invariants", "none", string.Join(" ", violations));
    }

    public void Dispose()
    {
        _engines.Current = null;
        Managed.Dispose();
        if (_mode == PairRunMode.Careful)
        {
            Linux.Dispose();
        }
        else
        {
            _engines.GiveSpare(Linux.DisposeButSpace());
        }
    }

    private static Difference Stuck(int index, TimeoutException stuck) => stuck.Message.Contains("linux", StringComparison.Ordinal)
        ? new(index, "settling", stuck.Message, "not looked at")
        : new(index, "settling", "settled", stuck.Message);

    // Most calls have nobody to wake; asking who sleeps costs more than they do.
    private bool WakesNobody(StepVerb verb, int running) =>
        verb is StepVerb.Map or StepVerb.Protect or StepVerb.MakeFile or StepVerb.FileWrite or StepVerb.FileRead or StepVerb.Allocate or StepVerb.Open
            or StepVerb.Scan or StepVerb.Load or StepVerb.Store or StepVerb.KernelRead or StepVerb.KernelWrite
        && (Linux.Running & Managed.Running & running) == running && Linux.Running == Managed.Running;

    private Difference? Completions(in Step step, int index, int runningBefore, bool canAsleep = true)
    {
        if (runningBefore == 0)
        {
            return null;
        }

        _order.Note(runningBefore);
        WaitForAgreement();
        if (Linux.Running != Managed.Running)
        {
            if (_order.IsOvertaken(runningBefore, runningBefore & ~(Linux.Running & Managed.Running))
                || _order.MaySleepAgain(in step, runningBefore, Linux.Running ^ Managed.Running, isClosing: !canAsleep))
            {
                IsUnordered = true;
                return null;
            }

            return new(index, ExplainedDifferences.WhoSleeps, Bits(Linux.Running), Bits(Managed.Running));
        }

        if (!canAsleep && Linux.Running != 0)
        {
            return new(index, "which actors sleep at the end", Bits(Linux.Running), "nobody should");
        }

        int finished = runningBefore & ~Linux.Running;
        IsUnordered |= _order.Decides(in step, runningBefore, finished, isClosing: !canAsleep);
        bool copies = _order.DoesAny(finished, StepVerb.CopyFrom);
        for (int actor = 0; finished >> actor != 0; actor++)
        {
            if ((finished >> actor & 1) == 0)
            {
                continue;
            }

            _haveMappingsChanged = true;
            StepOutcome linux = Linux.OutcomeOf(actor);
            StepOutcome managed = Managed.OutcomeOf(actor);
            if (int.PopCount(finished) > 1 || Linux.Running != 0 || _order.IsReadUnknown(actor))
            {
                // Several were on their way at once: what each read depends on who came first.
                linux = linux with { Value = 0 };
                managed = managed with { Value = 0 };
            }

            if (IsUnordered && (copies || Linux.StepOf(actor).Verb == StepVerb.ReadMessages || (!canAsleep && int.PopCount(finished) > 1)))
            {
                continue;
            }

            if (linux != managed || linux.Kind == OutcomeKind.Threw)
            {
                return new(index, $"the late answer of '{Linux.StepOf(actor)}'", linux.ToString(), managed.ToString());
            }
        }

        return null;
    }

    // The kernel refuses to page out what is on its way to or from swap. When that is over, it must do as the managed engine did.
    private Difference? Observe(in Step step, int index, bool closely)
    {
        Difference? difference = ObserveOnce(in step, index, closely);
        bool isPageOut = step.Verb == StepVerb.Advise && (Advice)step.Mode == Advice.PageOut;
        for (int again = 0; isPageOut && difference is not null && again < PageOutRetries; again++)
        {
            SpinWait.SpinUntil(static () => false, PageOutPause);
            _engines.DrainPageVectors();
            _ = Linux.Execute(in step, -1);
            difference = ObserveOnce(in step, index, closely);
        }

        return difference;
    }

    private void Unsettle(Unsettled pages)
    {
        _linuxSeen.Unsettled = _managedSeen.Unsettled = (Unsettled)Math.Max((int)pages, (int)_managedSeen.Unsettled);
    }

    private Difference? ObserveOnce(in Step step, int index, bool closely)
    {
        Observer.Look(Linux, _linuxSeen);
        Observer.Look(Managed, _managedSeen);
        (string What, string Linux, string Managed)? found = ObservationComparison.Compare(_linuxSeen, _managedSeen);
        if (found is null && IsWide)
        {
            _linuxSeen.HugeArea.Look(Linux);
            _managedSeen.HugeArea.Look(Managed);
            found = HugeComparison.Compare(_linuxSeen.HugeArea, _managedSeen.HugeArea);
        }

        if (found is null && _managedSeen.Unsettled == Unsettled.LockedAndProtected && _returns.Look(_managedSeen, IsWide, Mappings))
        {
            Unsettle(Unsettled.All);
        }

        if (found is null && closely)
        {
            Observer.LookClosely(Linux, _linuxSeen);
            Observer.LookClosely(Managed, _managedSeen);
            found = ObservationComparison.CompareClosely(_linuxSeen, _managedSeen);
            if (found is null && IsWide)
            {
                found = HugeComparison.CompareClosely(Linux, Managed, _linuxSeen, _managedSeen);
            }
        }
        else if (found is null && step.Verb is >= StepVerb.Copy and <= StepVerb.Move)
        {
            int first = Math.Clamp(step.Page, 0, Arena.Pages);
            int end = Math.Clamp(step.Page + Math.Min(step.Pages, 4), first, Arena.Pages);
            Observer.LookAt(Linux, 0, first, end, Mappings, _linuxSeen);
            Observer.LookAt(Managed, 0, first, end, Mappings, _managedSeen);
            found = ObservationComparison.CompareContents(_linuxSeen, _managedSeen, 0, first, end);
        }

        return found is { } difference ? new(index, $"{difference.What} after '{step}'", difference.Linux, difference.Managed) : null;
    }

    private void Note(in Step step, in StepOutcome outcome)
    {
        _haveMappingsChanged |= step.Verb is <= StepVerb.Close or StepVerb.Register or StepVerb.Unregister;

        // Who waits for an event to be read has changed the mappings already.
        bool isTold = outcome.Kind == OutcomeKind.Asleep && step.Verb is StepVerb.MapOver or StepVerb.Remap;
        if (!isTold && !(outcome is { Kind: OutcomeKind.Call, Code: 0 }))
        {
            return;
        }

        _isArmed |= step.Verb == StepVerb.Register;
        _kinds.Note(in step);
        IsWide |= (step.Verb is StepVerb.Map or StepVerb.MapOver && step.Page + step.Pages > Arena.HugeFirst)
            || (step.Verb == StepVerb.Remap && Math.Max(step.Other, step.Page) + (int)step.Value > Arena.HugeFirst);
    }

    /// <summary>The entry of a page after the last step.</summary>
    public PagemapEntry EntryAt(int space, int page) => (uint)page < Arena.Pages ? _managedSeen.Pagemaps[space][page]
        : Arena.IsHuge(page) ? _managedSeen.HugeArea.Entries[space][page - Arena.HugeFirst]
        : default;

    private static string Bits(int bits) => "0b" + bits.ToString("b", CultureInfo.InvariantCulture);
}
