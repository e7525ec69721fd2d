using System;
using Faultline;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;
using Xunit;

namespace TestYourPager;

/// <summary>
/// Three small programs, each run in every interleaving with either handler. The naive one works in most interleavings, and each of its bugs is found in
/// another program.
/// </summary>
public sealed class HandlerTests
{
    private delegate IHandler Opening(PagerBed bed, IAddressSpace space, UserfaultfdFeatures features);

    [Fact]
    public void Naive_FillWhileAnEventIsPending_LeavesTheThreadAsleep()
    {
        ScheduleFailure? failure = Find(bed => FaultBesideARemoval(bed, NaiveHandler.Open));

        Assert.Equal(ScheduleFailureKind.LostWake, failure?.Kind);
        Assert.Contains("client sleeps", failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Naive_RemovalBetweenLookAndCopy_BringsBackWhatWasThrownAway()
    {
        ScheduleFailure? failure = Find(bed => LoadAfterRemoval(bed, NaiveHandler.Open));

        Assert.Equal(ScheduleFailureKind.Exception, failure?.Kind);
        Assert.Contains("stale", failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Naive_WriteBetweenCopyAndProtection_IsNotSeen()
    {
        ScheduleFailure? failure = Find(bed => FirstWrite(bed, NaiveHandler.Open));
        Assert.Equal(ScheduleFailureKind.Exception, failure?.Kind);
        Assert.Contains("unseen", failure?.Message, StringComparison.Ordinal);

        // One line is all it takes to see it again.
        Assert.Equal(failure?.Message, PagerTrial.Replay(bed => FirstWrite(bed, NaiveHandler.Open), failure!.Path)?.Message);
    }

    [Fact]
    public void Careful_AllThreePrograms_EndWell()
    {
        PagerTrial.Explore(bed => FaultBesideARemoval(bed, CarefulHandler.Open)).ThrowIfFailed();
        PagerTrial.Explore(bed => LoadAfterRemoval(bed, CarefulHandler.Open)).ThrowIfFailed();
        PagerTrial.Explore(bed => FirstWrite(bed, CarefulHandler.Open)).ThrowIfFailed();
    }

    [Fact]
    public void Careful_StormOfAgainAndLateWakes_EndsWell()
    {
        PagerTrialOptions options = new() { Troubles = new Troubles { AgainAnswers = 3, SlowWakes = true } };

        PagerTrial.Explore(bed => FirstWrite(bed, CarefulHandler.Open), options).ThrowIfFailed();
    }

    [Fact]
    public void Careful_SignalInTheMiddleOfAFault_EndsWell() =>
        PagerTrial.Explore(static bed =>
        {
            (IAddressSpace client, AddressRange area, IHandler handler) = Begin(bed, CarefulHandler.Open, UserfaultfdFeatures.None, pages: 1);
            IMemoryAccess access = bed.Access(client);
            SeamThread reader = bed.Start("client", () => PagerBed.Require(PagerBed.Load(access, area.Start) == IHandler.Source, "wrong bytes."));
            bed.Start("signal", access.Interrupt);
            reader.Join();
            handler.Stop();
        }).ThrowIfFailed();

    [Fact]
    public void Careful_ClientIsKilled_TheHandlerGoesOn() =>
        PagerTrial.Explore(static bed =>
        {
            (IAddressSpace client, AddressRange area, IHandler handler) = Begin(bed, CarefulHandler.Open, UserfaultfdFeatures.None, pages: 1);
            IMemoryAccess access = bed.Access(client);
            SeamThread reader = bed.Start("client", () => PagerBed.Require(
                access.Load(area.Start, out _).Fault is AccessFault.None or AccessFault.Killed, "neither read nor killed."));
            SeamThread killer = bed.Start("killer", client.Dispose);
            reader.Join();
            killer.Join();
            handler.Stop();
        }).ThrowIfFailed();

    private static ScheduleFailure? Find(Action<PagerBed> program) => PagerTrial.Explore(program).Failure;

    /// <summary>One page faults while another is thrown away: the fault is served all the same.</summary>
    private static void FaultBesideARemoval(PagerBed bed, Opening open)
    {
        (IAddressSpace client, AddressRange area, IHandler handler) = Begin(bed, open, UserfaultfdFeatures.EventRemove, pages: 2);
        IMemoryAccess access = bed.Access(client);
        AddressRange second = area.Slice(PageSize.Small, PageSize.Small);
        SeamThread dropper = bed.Start("dropper", () => client.Advise(second, Advice.DontNeed).OrThrow("madvise"));
        SeamThread reader = bed.Start("client", () => PagerBed.Require(PagerBed.Load(access, area.Start) == IHandler.Source, "wrong bytes."));
        reader.Join();
        dropper.Join();
        handler.Stop();
    }

    /// <summary>A page is thrown away, and then read, while another thread faults in it: from then on it is zero.</summary>
    private static void LoadAfterRemoval(PagerBed bed, Opening open)
    {
        (IAddressSpace client, AddressRange area, IHandler handler) = Begin(bed, open, UserfaultfdFeatures.EventRemove, pages: 1);
        bed.Start("second handler", handler.Serve);
        IMemoryAccess one = bed.Access(client);
        IMemoryAccess two = bed.Access(client);
        SeamThread reader = bed.Start("client", () => PagerBed.Load(one, area.Start));
        SeamThread dropper = bed.Start("dropper", () =>
        {
            client.Advise(area, Advice.DontNeed).OrThrow("madvise");
            PagerBed.Require(PagerBed.Load(two, area.Start) == 0, "a page that was thrown away has stale bytes.");
        });
        reader.Join();
        dropper.Join();
        handler.Stop();
    }

    /// <summary>The first write to a page is seen, however soon it comes.</summary>
    private static void FirstWrite(PagerBed bed, Opening open)
    {
        (IAddressSpace client, AddressRange area, IHandler handler) =
            Begin(bed, open, UserfaultfdFeatures.PageFaultFlagWriteProtect, pages: 1);
        IMemoryAccess access = bed.Access(client);
        SeamThread writer = bed.Start("client", () => PagerBed.Require(access.Store(area.Start, 1).IsOk, "the write failed."));
        writer.Join();
        PagerBed.Require(handler.IsDirty(area.Start), "a page was written unseen.");
        handler.Stop();
    }

    /// <summary>A client with an area, and a handler with one thread that serves it. How they come about is no part of what is looked at.</summary>
    private static (IAddressSpace Client, AddressRange Area, IHandler Handler) Begin(
        PagerBed bed, Opening open, UserfaultfdFeatures features, int pages)
    {
        IAddressSpace client = bed.NewClient();
        AddressRange area = PagerBed.Map(client, MapRequest.PrivateAnonymous((ulong)pages * PageSize.Small));
        IHandler handler = open(bed, client, features);
        PagerBed.Prepare(() =>
        {
            bool isTracked = (features & UserfaultfdFeatures.PageFaultFlagWriteProtect) != 0;
            RegisterModes modes = RegisterModes.Missing | (isTracked ? RegisterModes.WriteProtect : RegisterModes.None);
            PagerBed.Require(handler.Context.Register(area, modes).IsOk, "the area could not be registered.");
            bed.Start("handler", handler.Serve);
        });
        return (client, area, handler);
    }
}
