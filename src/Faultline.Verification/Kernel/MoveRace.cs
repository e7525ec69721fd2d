using System;
using System.Diagnostics;
using System.Threading;
using Faultline.Linux;
using Faultline.Linux.Children;

namespace Faultline.Verification.Kernel;

/// <summary>One run of <see cref="RaceMove"/>: the place, and who takes part.</summary>
internal sealed class MoveRace
{
    private const int LooksBeforeYield = 200;

    // All rounds take a few milliseconds, unless others keep the toucher from its processor.
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(100);

    private readonly IUserfaultfd _context;
    private readonly IAddressSpace _space;
    private readonly IMemoryAccess _mover;
    private readonly UserfaultfdFeatures _features;
    private readonly int[] _processors;
    private readonly int _source;
    private readonly int _target;
    private int _go;
    private volatile bool _isOver;

    public MoveRace(EngineSide side, IUserfaultfd context, IAddressSpace space, in Step step)
    {
        _context = context;
        _space = space;
        _source = step.Other;
        _target = step.Page;
        _features = side.AllFeatures;
        _processors = side.Processors;
        _mover = side.Access(-1, 0, AccessMode.User)!;
    }

    public StepOutcome Run(int rounds)
    {
        var source = new AddressRange(Arena.At(_source), PageSize.Small);
        var target = new AddressRange(Arena.At(_target), PageSize.Small);
        if (!CanBegin(source, target))
        {
            return StepOutcome.Of(Errno.None, 0, 0, "not a place for a race");
        }

        var toucher = new Thread(Touch) { IsBackground = true };
        toucher.Start();
        var outcome = StepOutcome.Of(Errno.None);
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds && outcome == StepOutcome.Of(Errno.None) && Stopwatch.GetElapsedTime(start) < MostTime; round++)
        {
            outcome = Once(source, target, (ulong)round);
        }

        _isOver = true;
        toucher.Join();

        // The last load may or may not have brought a zero page back.
        _space.Advise(source, Advice.DontNeedLocked);
        return outcome;
    }

    // The source must be plain memory that nobody watches, the target empty memory of this context: else touching would sleep.
    private bool CanBegin(AddressRange source, AddressRange target)
    {
        VmaInfo? from = Only(source);
        VmaInfo? to = Only(target);
        return (_features & UserfaultfdFeatures.EventRemove) == 0
            && from is { IsShared: false, RegisteredModes: RegisterModes.None, IsLocked: false, FileOffset: 0, Protection: Protections.ReadWrite }
            && to is { IsShared: false, RegisteredModes: RegisterModes.Missing, IsLocked: false, Protection: Protections.ReadWrite }
            && _space.Advise(target, Advice.DontNeedLocked).IsOk
            && _mover.Store(source.Start, 1).IsOk
            && IsMovable(source, target);
    }

    private bool IsMovable(AddressRange source, AddressRange target)
    {
        if (!_context.Move(target.Start, source.Start, PageSize.Small).IsOk)
        {
            return false;
        }

        _space.Advise(target, Advice.DontNeedLocked);
        return true;
    }

    private VmaInfo? Only(AddressRange range)
    {
        foreach (VmaInfo mapping in _space.Inspector.GetMappings(range).Value)
        {
            if (mapping.Range.Contains(range))
            {
                return mapping;
            }
        }

        return null;
    }

    private StepOutcome Once(AddressRange source, AddressRange target, ulong round)
    {
        _mover.Store(source.Start, round + 1);
        _space.Advise(source, Advice.Cold);
        Interlocked.Exchange(ref _go, 1);
        FillResult moved = _context.Move(target.Start, source.Start, PageSize.Small);
        for (int look = 0; Volatile.Read(ref _go) != 0; look++)
        {
            if (look < LooksBeforeYield)
            {
                Thread.SpinWait(1);
            }
            else
            {
                Thread.Yield();
            }
        }

        Span<PagemapEntry> entry = stackalloc PagemapEntry[1];
        _space.Inspector.ReadPagemap(target.Start, entry);
        bool isThere = entry[0].IsPresent;
        _space.Advise(target, Advice.DontNeedLocked);

        // The toucher may have brought a zero page into the source after the move, never a page into the target.
        return moved.IsOk && isThere ? StepOutcome.Of(Errno.None)
            : moved is { Errno: Errno.EAGAIN or Errno.EBUSY, Field: < 0 } && !isThere ? StepOutcome.Of(Errno.None)
            : StepOutcome.Of(moved.Errno, moved.Field, 0, isThere ? "though the page was moved" : "and the page was not moved");
    }

    // With an accessor of its own: the actors' may be asleep. A race takes another processor than the mover's.
    private void Touch()
    {
        using IMemoryAccess toucher = _space.OpenAccess().OrThrow("Opening an accessor");
        if (_processors.Length > 1)
        {
            ProcessorBinding.Bind(0, _processors.AsSpan(1));
            (toucher as ChildAccess)?.BindTo(_processors.AsSpan(1));
        }

        while (!_isOver)
        {
            if (Interlocked.CompareExchange(ref _go, 2, 1) == 1)
            {
                toucher.Load(Arena.At(_source), out _);
                Volatile.Write(ref _go, 0);
            }
        }
    }
}
