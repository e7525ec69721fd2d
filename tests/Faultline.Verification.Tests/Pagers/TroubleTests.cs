using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Paging;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;
using Xunit;

namespace Faultline.Verification.Tests.Pagers;

/// <summary>
/// Each trouble that a trial can make, against a handler that takes one thing for granted. Without the trouble the handler is right in every interleaving;
/// with it the trial must find the one in which it is not.
/// </summary>
public sealed class TroubleTests
{
    private const ulong Word = 0x7171717171717171;

    /// <summary>What is taken for granted.</summary>
    public enum Belief
    {
        /// <summary>A fill is done when it is asked for: EAGAIN does not come without an event.</summary>
        FillsAreDone,

        /// <summary>When a fill returns, nobody waits any more.</summary>
        FillsWakeAtOnce,

        /// <summary>A page faults once.</summary>
        FaultsComeOnce,

        /// <summary>A client that faults is there until it has its page.</summary>
        ClientsLive,
    }

    [Theory]
    [InlineData(Belief.FillsAreDone, ScheduleFailureKind.Exception)]
    [InlineData(Belief.FillsWakeAtOnce, ScheduleFailureKind.Exception)]
    [InlineData(Belief.FaultsComeOnce, ScheduleFailureKind.Exception)]
    [InlineData(Belief.ClientsLive, ScheduleFailureKind.Exception)]
    public void Handler_ThatTakesItForGranted_FailsWithTheTroubleAndOnlyThen(Belief belief, ScheduleFailureKind expected)
    {
        Troubles troubles = new() { AgainAnswers = belief == Belief.FillsAreDone ? 1 : 0, SlowWakes = belief == Belief.FillsWakeAtOnce };

        PagerTrialResult calm = PagerTrial.Explore(bed => Serve(bed, belief, isTroubled: false)).ThrowIfFailed();
        PagerTrialResult troubled = PagerTrial.Explore(
            bed => Serve(bed, belief, isTroubled: true), new PagerTrialOptions { Troubles = troubles, Schedules = 800 });

        Assert.True(calm.IsComplete);
        Assert.Equal(expected, troubled.Failure?.Kind);
        Assert.Contains(belief.ToString(), troubled.Failure?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0, AccessFault.None)]
    [InlineData(1000, 0, AccessFault.BusError)]
    [InlineData(0, 1, AccessFault.BusError)]
    public void Store_ThatFailsOrGivesTooLittle_DecidesWhatTheClientSees(int failedReads, int shortBy, AccessFault expected)
    {
        List<AccessFault> seen = [];
        PagerTrial.Explore(
            bed => seen.Add(LoadThroughPager(bed, new TroubledStore(bed, PagerBed.Content(Word)) { FailedReads = failedReads, ShortBy = shortBy })),
            new PagerTrialOptions { Schedules = 200 }).ThrowIfFailed();

        Assert.Equal([expected], seen.Distinct());
    }

    [Fact]
    public void Explore_SameSeedTwice_SameResult()
    {
        static PagerTrialResult Find() => PagerTrial.Explore(
            static bed => Serve(bed, Belief.FillsWakeAtOnce, isTroubled: true),
            new PagerTrialOptions { Troubles = new Troubles { SlowWakes = true }, Schedules = 500, Seed = 3 });

        (PagerTrialResult one, PagerTrialResult two) = (Find(), Find());

        Assert.Equal(one.Schedules, two.Schedules);
        Assert.Equal(one.Failure?.Path, two.Failure?.Path);
        Assert.Equal(one.Failure?.Message, PagerTrial.Replay(
            static bed => Serve(bed, Belief.FillsWakeAtOnce, isTroubled: true),
            one.Failure!.Path,
            new PagerTrialOptions { Troubles = new Troubles { SlowWakes = true } })?.Message);
    }

    /// <summary>One client thread, one page, and a handler that brings it.</summary>
    private static void Serve(PagerBed bed, Belief belief, bool isTroubled)
    {
        IAddressSpace client = bed.NewClient();
        AddressRange area = PagerBed.Map(client, MapRequest.PrivateAnonymous(PageSize.Small));
        IUserfaultfd context = bed.Open(client, UserfaultfdFeatures.None);
        IMemoryAccess access = bed.Access(client);
        PagerBed.Prepare(() =>
        {
            PagerBed.Require(context.Register(area, RegisterModes.Missing).IsOk, "the area could not be registered.");
            bed.Start("handler", () => Handle(context, belief));
        });
        SeamThread reader = bed.Start("client", () => access.Load(area.Start, out _));
        if (isTroubled && belief == Belief.FaultsComeOnce)
        {
            bed.Start("signal", access.Interrupt);
        }

        if (isTroubled && belief == Belief.ClientsLive)
        {
            bed.Start("killer", client.Dispose);
        }

        reader.Join();
        context.Dispose();
    }

    private static void Handle(IUserfaultfd context, Belief belief)
    {
        var messages = new UserfaultfdMessage[1];
        int faults = 0;
        while (context.Read(messages).IsOk)
        {
            faults++;
            PagerBed.Require(belief != Belief.FaultsComeOnce || faults == 1, $"{belief}: it faulted again.");
            FillResult filled = context.Copy(messages[0].Address, PagerBed.Content(Word));
            PagerBed.Require(belief != Belief.FillsAreDone || filled.Errno != Errno.EAGAIN, $"{belief}: {filled.Errno}.");
            PagerBed.Require(belief != Belief.ClientsLive || filled.Errno != Errno.ESRCH, $"{belief}: {filled.Errno}.");
            PagerBed.Require(
                belief != Belief.FillsWakeAtOnce || context.GetCounts() is not { Errno: Errno.None, Value.Total: > 0 }, $"{belief}: someone waits.");
        }
    }

    private static AccessFault LoadThroughPager(PagerBed bed, TroubledStore store)
    {
        IAddressSpace client = bed.NewClient();
        AddressRange area = default;
        PagerOptions options = new()
        {
            HandlerThreads = 1,
            LoadBytes = (int)PageSize.Small,
            SequentialWindowBytes = (int)PageSize.Small,
            NeighbourPages = 1,
            Prefetch = PrefetchOptions.Off,
            TimeProvider = PagerBed.Clock,
        };
        PagerBed.Prepare(() =>
        {
            Pager pager = bed.Own(new Pager(bed.Engine, options));
            PagedImage image = pager.OpenImage(store);
            area = PagerBed.Map(client, MapRequest.PrivateFile(image.File, image.MappedLength));
            const UserfaultfdFeatures Features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;
            PagerClient paged = bed.Own(pager.Attach(bed.Open(client, Features, UserfaultfdOptions.NonBlocking)));
            paged.AddRegion(area, image, 0, RegionKind.PrivateImage);
        });
        AccessResult result = bed.Access(client).Load(area.Start, out ulong value);
        PagerBed.Require(!result.IsOk || value == Word, "wrong bytes.");
        return result.Fault;
    }
}
