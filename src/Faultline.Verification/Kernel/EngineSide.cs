using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Faultline.Linux;
using Faultline.Linux.Children;

namespace Faultline.Verification.Kernel;

/// <summary>One engine running one program: its address spaces, contexts, files and actors.</summary>
internal sealed class EngineSide : IDisposable
{
    /// <summary>Longer than any step takes on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const int Accessors = 2 * (Arena.Actors + 1);

    private readonly IMemoryEngine _engine;
    private readonly Actor?[] _actors;

    // For each address space: two modes of each actor, and of the program itself.
    private readonly IMemoryAccess?[][] _access = [new IMemoryAccess?[Accessors], new IMemoryAccess?[Accessors]];

    // Which address space each context belongs to, and whether that has ended.
    private readonly int[] _owner = new int[Arena.Contexts];
    private readonly bool[] _isOrphaned = new bool[Arena.Contexts];

    // The actor whose call waits for an event to be read, or -1.
    private int _eventActor = -1;

    public EngineSide(IMemoryEngine engine, Actor?[] actors, int[] processors, SpareSpace? spare)
    {
        _engine = engine;
        _actors = actors;
        Processors = processors;
        if (spare is not null)
        {
            Spaces[0] = spare.Space;
            _access[0] = spare.Accessors;
            return;
        }

        Spaces[0] = engine.CreateAddressSpace().OrThrow("Making an address space");
        if (processors.Length > 0)
        {
            (Spaces[0] as ChildAddressSpace)?.BindTo(processors[0]);
        }
    }

    /// <summary>See <see cref="EnginePair.Processors"/>.</summary>
    public int[] Processors { get; }

    public string Name => _engine.Name;

    public IAddressSpace?[] Spaces { get; } = new IAddressSpace?[Arena.Spaces];

    public IUserfaultfd?[] Contexts { get; } = new IUserfaultfd?[Arena.Contexts];

    public IMemoryFile?[] Files { get; } = new IMemoryFile?[Arena.Files];

    public IMemoryEngine Engine => _engine;

    /// <summary>The features of each context, for whoever decides what may sleep.</summary>
    public UserfaultfdFeatures AllFeatures => ContextSums.Features(Contexts);

    /// <summary>How a process of the kernel's side came to its end though nobody here ended it, or null.</summary>
    public string? HowItEnded
    {
        get
        {
            foreach (IAddressSpace? space in Spaces)
            {
                if (space is ChildAddressSpace { HowItEnded: { } end })
                {
                    return end;
                }
            }

            return null;
        }
    }

    /// <summary>The ways in which contexts are open, for coverage.</summary>
    public OpenWays AllWays => ContextSums.Ways(Contexts);

    /// <summary>Does a step here and now, and answers; sleeping steps are for actors.</summary>
    public StepOutcome Execute(in Step step, int actor)
    {
        try
        {
            return ExecuteUnguarded(in step, actor);
        }
#pragma warning disable CA1031 // It becomes a difference, whose script shows it again.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return StepOutcome.Of(failure);
        }
    }

    private StepOutcome ExecuteUnguarded(in Step step, int actor) => step.Verb switch
    {
        <= StepVerb.Unlock => SpaceVerbs.Run(this, in step),
        <= StepVerb.WriteProtect => ContextVerbs.Run(this, in step),
        StepVerb.ReadMessages => MessageVerb.Run(this, in step),
        <= StepVerb.KernelWrite => AccessVerbs.Run(Access(actor, step.Space, step.Verb >= StepVerb.KernelRead ? AccessMode.Kernel : AccessMode.User), in step),
        <= StepVerb.FileRead => FileVerbs.Run(this, in step),
        StepVerb.Scan => ScanVerb.Run(this, in step),
        StepVerb.RaceMove => RaceMove.Run(this, in step),
        StepVerb.Seal => FileVerbs.Run(this, in step),
        StepVerb.Interrupt => InterruptVerb.Run(this, in step),
        _ => ForkVerbs.Run(this, in step),
    };

    /// <summary>Begins a step that may sleep on its actor, and waits until it sleeps or is done.</summary>
    public StepOutcome Perform(in Step step, bool mayWaitForEvent, PairRunMode mode)
    {
        if (_eventActor >= 0 && _actors[_eventActor] is not { IsRunning: true })
        {
            _eventActor = -1;
        }

        if (mayWaitForEvent && (_eventActor >= 0 || Pending() > 0))
        {
            return new(OutcomeKind.Busy);
        }

        if (Populations.Delay(in step, _actors) || (step.Verb == StepVerb.ReadMessages && IsInUse(step.Context)))
        {
            return new(OutcomeKind.Busy);
        }

        ref Actor? actor = ref _actors[step.Actor];
        if (actor is { IsRunning: true })
        {
            return new(OutcomeKind.Busy);
        }

        if (mode == PairRunMode.Quick)
        {
            return Execute(in step, step.Actor);
        }

        actor ??= new Actor(step.Actor, Name);
        if (mayWaitForEvent)
        {
            _eventActor = step.Actor;
        }

        actor.Start(this, in step);
        Settle();
        return actor.IsRunning ? new(OutcomeKind.Asleep) : actor.Outcome;
    }

    /// <summary>Which actors have a step under way, as bits.</summary>
    public int Running
    {
        get
        {
            int running = 0;
            for (int i = 0; i < _actors.Length; i++)
            {
                running |= _actors[i] is { IsRunning: true } ? 1 << i : 0;
            }

            return running;
        }
    }

    /// <summary>What a step answered: as it was, or what it has answered since if it was asleep.</summary>
    public StepOutcome Latest(in Step step, in StepOutcome before) =>
        before.Kind == OutcomeKind.Asleep && _actors[step.Actor] is { IsRunning: false } actor ? actor.Outcome : before;

    /// <summary>
    /// Whether a context belongs to an address space that has ended. Calls that its owner makes for it cannot be made any more.
    /// </summary>
    public bool IsOrphaned(int slot) => _isOrphaned[slot];

    public StepOutcome OutcomeOf(int actor) => _actors[actor]!.Outcome;

    public Step StepOf(int actor) => _actors[actor]!.Step;

    /// <summary>
    /// Waits until every actor sleeps in a fault or for an event, or is done. A waiter in a fault is on its context's list; the list loses it when it
    /// is woken, in the very call that wakes, so the numbers agree only when nobody is on the way. Or for a moment: a fault that races with another one may
    /// put itself on the list, look again, and go on. So they have to agree twice where asking costs little.
    /// </summary>
    /// <exception cref="TimeoutException">It did not come to that.</exception>
    public void Settle()
    {
        long start = Stopwatch.GetTimestamp();
        bool hasAgreed = false;
        while (true)
        {
            if (_eventActor >= 0 && _actors[_eventActor] is not { IsRunning: true })
            {
                _eventActor = -1;
            }

            int running = int.PopCount(Running);
            if (running == 0)
            {
                return;
            }

            // Whoever is on the way may need this very processor, and asking costs more than most steps take.
            Thread.Yield();
            bool isWaitingForEvent = _eventActor >= 0;
            int readers = MessageReaders.Count(_actors);
            int inFaults = running - readers - (isWaitingForEvent ? 1 : 0);
            int waiting = Waiting();
            bool agrees = ((waiting == inFaults && (!isWaitingForEvent || IsEventAsleep())) || (isWaitingForEvent && waiting == running - readers))
                && int.PopCount(Running) == running && (readers == 0 || MessageReaders.AreAsleep(_actors, Contexts));
            if (agrees && (hasAgreed || _engine is LinuxEngine))
            {
                return;
            }

            hasAgreed = agrees;
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"On the {Name} engine the actors neither sleep nor finish: {DescribeActors()}");
            }
        }
    }

    /// <summary>Whether a fault that goes round can be told from the one before it: every message is read, and nobody waits for one, or for an event.</summary>
    public bool CanInterrupt => MessageReaders.Count(_actors) == 0 && (_eventActor < 0 || _actors[_eventActor] is not { IsRunning: true }) && Pending() == 0;

    /// <summary>Waits until an actor that was interrupted is done, or sleeps again with a message that nobody has read.</summary>
    /// <exception cref="TimeoutException">It did not come to that.</exception>
    public void WaitForRound(int actor)
    {
        long start = Stopwatch.GetTimestamp();
        while (_actors[actor] is { IsRunning: true } && Pending() == 0)
        {
            Thread.Yield();
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"On the {Name} engine a signal changes nothing for {DescribeActors()}");
            }
        }
    }

    /// <summary>
    /// Closes every context, so that whoever sleeps goes on, and waits for all actors. If there are any, every registration is taken away first: closing
    /// alone would not do, because a COPY that sleeps over its source keeps its own context open.
    /// </summary>
    public void CloseAll()
    {
        if (Running != 0)
        {
            WakeEverybody();
        }

        for (int i = 0; i < Contexts.Length; i++)
        {
            CloseContext(i);
        }

        Settle();
    }

    public void AddContext(int slot, IUserfaultfd context, int owner)
    {
        Contexts[slot] = context;
        _owner[slot] = owner;
        _isOrphaned[slot] = false;
    }

    public void CloseContext(int slot)
    {
        if (Contexts[slot] is { } context)
        {
            Contexts[slot] = null;
            context.Dispose();
        }
    }

    /// <summary>Whether a call on a context is asleep: then closing it would do nothing until the call is over.</summary>
    public bool IsInUse(int slot)
    {
        foreach (Actor? actor in _actors)
        {
            if (actor is { IsRunning: true, Step.Verb: StepVerb.CopyFrom or StepVerb.ReadMessages } && actor.Step.Context == slot)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An accessor: of an actor, or with -1 of the program itself.</summary>
    public IMemoryAccess? Access(int actor, int space, AccessMode mode)
    {
        ref IMemoryAccess? access = ref _access[space][(2 * (actor + 1)) + (int)mode];
        if (access is null && Spaces[space] is { } owner)
        {
            access = owner.OpenAccess(mode).OrThrow("Opening an accessor");
        }

        return access;
    }

    /// <summary>Ends a forked address space, if nobody is in it.</summary>
    public bool TryEndSpace(int space)
    {
        for (int i = 0; i < _actors.Length; i++)
        {
            // Calls on a context are made by the process it belongs to, and die with it.
            if (_actors[i] is { IsRunning: true } actor
                && (actor.Step.Space == space || (actor.Step.Verb == StepVerb.CopyFrom && _owner[actor.Step.Context] == space)))
            {
                return false;
            }
        }

        DisposeSpace(space);
        for (int slot = 0; slot < _owner.Length; slot++)
        {
            _isOrphaned[slot] |= _owner[slot] == space;
        }

        return true;
    }

    public void Dispose()
    {
        // Memory first: that ends whoever sleeps in it.
        for (int space = Spaces.Length - 1; space >= 0; space--)
        {
            DisposeSpace(space);
        }

        for (int i = 0; i < Contexts.Length; i++)
        {
            CloseContext(i);
        }

        long start = Stopwatch.GetTimestamp();
        while (Running != 0 && Stopwatch.GetElapsedTime(start) < Patience)
        {
            Thread.Yield();
        }

        for (int i = 0; i < _actors.Length; i++)
        {
            if (_actors[i] is { IsRunning: true })
            {
                // It is lost; the next program gets another.
                _actors[i] = null;
            }
        }

        foreach (IMemoryFile? file in Files)
        {
            file?.Dispose();
        }
    }

    /// <summary>Ends everything but the first address space, which is emptied instead, if nobody is in it.</summary>
    /// <returns>The address space, or null if it had to be ended too.</returns>
    public SpareSpace? DisposeButSpace()
    {
        SpareSpace? spare = null;
        if (Running == 0 && Spaces[0] is ChildAddressSpace space)
        {
            for (int i = 0; i < Contexts.Length; i++)
            {
                CloseContext(i);
            }

            if (space.TryEmpty())
            {
                spare = new SpareSpace(space, _access[0]);
                Spaces[0] = null;
                _access[0] = [];
            }
        }

        Dispose();
        return spare;
    }

    private void WakeEverybody()
    {
        foreach (IUserfaultfd? context in Contexts)
        {
            foreach (IAddressSpace? space in Spaces)
            {
                foreach (VmaInfo mapping in space?.Inspector.GetMappings(Arena.Everything).Value ?? [])
                {
                    // Whoever that wakes is done before the next one goes: which mappings become one depends on who was first.
                    if (context is not null && context.Unregister(mapping.Range).IsOk)
                    {
                        Settle();
                    }
                }
            }

            // Also here: a fault that another context has by now must find that one as it is.
            if (context is not null && context.Wake(Arena.Everything).IsOk)
            {
                Settle();
            }
        }
    }

    private void DisposeSpace(int space)
    {
        Spaces[space]?.Dispose();
        foreach (ref IMemoryAccess? access in _access[space].AsSpan())
        {
            access?.Dispose();
            access = null;
        }

        Spaces[space] = null;
    }

    /// <summary>The actor that a thread of this engine is, or -1.</summary>
    public int ActorOf(uint thread)
    {
        for (int actor = 0; actor < Arena.Actors; actor++)
        {
            foreach (IMemoryAccess?[] access in _access)
            {
                if (access.Length != 0 && (access[2 * (actor + 1)]?.ThreadId == thread || access[(2 * (actor + 1)) + 1]?.ThreadId == thread))
                {
                    return actor;
                }
            }
        }

        return -1;
    }

    // On the kernel, a message alone does not tell: the call may be on its way to a fault of its own, as one that maps a locked range has.
    private bool IsEventAsleep()
    {
        if (_engine is not LinuxEngine)
        {
            return ContextSums.HasEvents(Contexts);
        }

        foreach (IAddressSpace? space in Spaces)
        {
            if (space is ChildAddressSpace { IsWaitingForEvent: true })
            {
                return true;
            }
        }

        return false;
    }

    private int Waiting() => ContextSums.Waiting(Contexts);

    private int Pending() => ContextSums.Pending(Contexts);

    private string DescribeActors() => Actor.Describe(_actors) + string.Create(CultureInfo.InvariantCulture, $"; {Waiting()} wait in faults");
}
