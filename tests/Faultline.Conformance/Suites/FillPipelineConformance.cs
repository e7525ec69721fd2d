using System;
using Xunit;

namespace Faultline.Conformance;

/// <summary>What COPY, ZEROPAGE, CONTINUE, POISON and MOVE have in common: the order of checks, the progress field, and whom they wake.</summary>
[Section("4.1")]
public abstract class FillPipelineConformance(EngineHost host) : ConformanceSuite(host)
{
    /// <summary>The five calls.</summary>
    public static TheoryData<FillVerb> Verbs => [.. Enum.GetValues<FillVerb>()];

    /// <summary>The four that share the rules for the destination.</summary>
    public static TheoryData<FillVerb> VerbsButMove => [FillVerb.Copy, FillVerb.Zeropage, FillVerb.Continue, FillVerb.Poison];

    /// <summary>The five calls, each with every bad range.</summary>
    public static TheoryData<FillVerb, BadRange> VerbsAndBadRanges
    {
        get
        {
            TheoryData<FillVerb, BadRange> rows = [];
            foreach (FillVerb verb in Enum.GetValues<FillVerb>())
            {
                foreach (BadRange bad in Enum.GetValues<BadRange>())
                {
                    rows.Add(verb, bad);
                }
            }

            return rows;
        }
    }

    // Step 1: while an event is pending nothing is done, whatever the arguments are.
    [Theory]
    [MemberData(nameof(Verbs))]
    [Regression(5)]
    public void Fill_EventPending_EAGAINBeforeTheArgumentsAreLookedAt(FillVerb verb)
    {
        Scene scene = Set(verb, UserfaultfdFeatures.EventRemove);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(scene.Area.Page(3), Advice.DontNeed));
        advise.AssertStillBlocked();
        FillResult good = scene.Fill(scene.Area.Page(0));
        Expect.Fails(good, Errno.EAGAIN);
        Assert.True(good.IsChanging);
        Expect.Fails(scene.FillFrom(new(scene.Area.At(0) + 1, PageSize.Small)), Errno.EAGAIN);
        Expect.Fails(scene.Fill(scene.Area.Page(0), (FillModes)(1UL << 40)), Errno.EAGAIN);
        scene.Monitor.ExpectEvent(UserfaultfdEvent.Remove, scene.Area.Page(3));
        Expect.Ok(advise.Await());
        Expect.Filled(scene.Fill(scene.Area.Page(0)), PageSize.Small);
    }

    // 9.1: the counter drops in the blocked thread after it wakes; so a retry succeeds, sooner or later.
    [Theory]
    [Section("9.1")]
    [MemberData(nameof(Verbs))]
    [Regression(16)]
    public void Fill_JustAfterTheEventIsRead_SucceedsWhenRetried(FillVerb verb)
    {
        Scene scene = Set(verb, UserfaultfdFeatures.EventRemove);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(scene.Area.Page(3), Advice.DontNeed));
        scene.Monitor.ExpectEvent(UserfaultfdEvent.Remove, scene.Area.Page(3));
        Expect.Filled(scene.Monitor.Retry(_ => scene.Fill(scene.Area.Page(0))), PageSize.Small);
        Expect.Ok(advise.Await());
    }

    [Fact]
    public void OtherCalls_EventPending_OnlyWriteProtectEAGAIN()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        MappedArea other = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.EventRemove);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Page(3), Advice.DontNeed));
        advise.AssertStillBlocked();
        Expect.Fails(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.Protect), Errno.EAGAIN);
        Expect.Fails(monitor.Uffd.WriteProtect(new(area.At(0) + 1, 1), WriteProtectModes.Protect), Errno.EAGAIN);
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        monitor.Register(other.Range, RegisterModes.Missing);
        Expect.Ok(monitor.Uffd.Unregister(other.Range));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(3));
        Expect.Ok(advise.Await());
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.Protect));
    }

    // Step 3.
    [Theory]
    [MemberData(nameof(VerbsAndBadRanges))]
    public void Fill_BadRange_EINVALAndFieldUntouched(FillVerb verb, BadRange bad)
    {
        Scene scene = Set(verb);
        Expect.Refused(scene.FillFrom(bad.Of(scene.Area.Range)), Errno.EINVAL);
    }

    [Theory]
    [InlineData(FillVerb.Copy, 4UL)]
    [InlineData(FillVerb.Copy, 1UL << 63)]
    [InlineData(FillVerb.Zeropage, 2UL)]
    [InlineData(FillVerb.Zeropage, 1UL << 63)]
    [InlineData(FillVerb.Continue, 4UL)]
    [InlineData(FillVerb.Continue, 1UL << 63)]
    [InlineData(FillVerb.Poison, 2UL)]
    [InlineData(FillVerb.Poison, 1UL << 63)]
    [InlineData(FillVerb.Move, 4UL)]
    [InlineData(FillVerb.Move, 1UL << 63)]
    public void Fill_UnknownMode_EINVALAndFieldUntouched(FillVerb verb, ulong modes)
    {
        Scene scene = Set(verb);
        Expect.Refused(scene.Fill(scene.Area.Page(0), (FillModes)modes), Errno.EINVAL);
    }

    // Step 5 and 4.2.
    [Theory]
    [Section("4.2")]
    [MemberData(nameof(VerbsButMove))]
    public void Fill_NothingMapped_ENOENT(FillVerb verb)
    {
        Scene scene = Set(verb);
        Expect.Fails(scene.Fill(new(Bed.NextPlace(), PageSize.Small)), Errno.ENOENT);
    }

    [Theory]
    [Section("4.2")]
    [MemberData(nameof(VerbsButMove))]
    public void Fill_NotRegistered_ENOENT(FillVerb verb)
    {
        Scene scene = Set(verb);
        Expect.Ok(scene.Monitor.Uffd.Unregister(scene.Area.Range));
        Expect.Fails(scene.Fill(scene.Area.Page(0)), Errno.ENOENT);
    }

    [Theory]
    [Section("4.2")]
    [MemberData(nameof(VerbsButMove))]
    public void Fill_LongerThanTheMapping_ENOENTAndNothingDone(FillVerb verb)
    {
        Scene scene = Set(verb);
        Expect.Fails(scene.Fill(scene.Area.Range.Slice(3 * PageSize.Small, 2 * PageSize.Small)), Errno.ENOENT);
        Assert.Equal(0UL, Bed.Pagemap(scene.Area, 3).Value);
    }

    [Theory]
    [Section("4.2")]
    [Section("10")]
    [MemberData(nameof(VerbsButMove))]
    public void Fill_AcrossTwoRegisteredMappings_ENOENTAndEachAloneSucceeds(FillVerb verb)
    {
        Scene scene = Set(verb);
        Expect.Ok(Bed.Space.Protect(scene.Area.Pages(2, 2), Protections.Read));
        Expect.Fails(scene.Fill(scene.Area.Range), Errno.ENOENT);
        Expect.Filled(scene.Fill(scene.Area.Pages(0, 2)), 2 * PageSize.Small);
        Expect.Filled(scene.Fill(scene.Area.Pages(2, 2)), 2 * PageSize.Small);
    }

    // 4.2: neither the rights of the mapping nor the modes it is registered with are checked.
    [Theory]
    [Section("4.2")]
    [InlineData(FillVerb.Copy, RegisterModes.Minor)]
    [InlineData(FillVerb.Copy, RegisterModes.WriteProtect)]
    [InlineData(FillVerb.Zeropage, RegisterModes.Minor)]
    [InlineData(FillVerb.Zeropage, RegisterModes.WriteProtect)]
    [InlineData(FillVerb.Continue, RegisterModes.Missing)]
    [InlineData(FillVerb.Continue, RegisterModes.WriteProtect)]
    [InlineData(FillVerb.Poison, RegisterModes.Minor)]
    [InlineData(FillVerb.Poison, RegisterModes.WriteProtect)]
    public void Fill_RegisteredWithAnotherMode_Succeeds(FillVerb verb, RegisterModes modes)
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        if (verb == FillVerb.Continue)
        {
            Bed.FillCache(area);
        }

        FaultMonitor monitor = Bed.Watch(area, modes);
        Expect.Filled(verb.Issue(monitor.Uffd, area.Range), area.Range.Length);
    }

    [Theory]
    [Section("4.2")]
    [InlineData(FillVerb.Copy, Protections.None)]
    [InlineData(FillVerb.Copy, Protections.Read)]
    [InlineData(FillVerb.Zeropage, Protections.None)]
    [InlineData(FillVerb.Zeropage, Protections.Read)]
    [InlineData(FillVerb.Continue, Protections.None)]
    [InlineData(FillVerb.Continue, Protections.Read)]
    [InlineData(FillVerb.Poison, Protections.None)]
    [InlineData(FillVerb.Poison, Protections.Read)]
    public void Fill_AnyProtectionOfTheMapping_Succeeds(FillVerb verb, Protections protection)
    {
        Scene scene = Set(verb);
        Expect.Ok(Bed.Space.Protect(scene.Area.Range, protection));
        Expect.Filled(scene.Fill(scene.Area.Range), scene.Area.Range.Length);
    }

    // 4.2: which context registered it is not checked; only the issuer's waiters are woken.
    [Theory]
    [Section("4.2")]
    [MemberData(nameof(VerbsButMove))]
    public void Fill_ByAnotherContext_SucceedsAndLeavesTheWaiterAsleep(FillVerb verb)
    {
        Scene scene = Set(verb);
        FaultMonitor other = Bed.Open();
        PendingAccess load = Bed.StartLoad(scene.Area.At(0));
        Assert.Equal(UserfaultfdEvent.PageFault, scene.Monitor.NextMessage().Event);
        Expect.Filled(verb.Issue(other.Uffd, scene.Area.Page(0)), PageSize.Small);
        load.AssertStillBlocked();
        Expect.Ok(scene.Monitor.Uffd.Wake(scene.Area.Page(0)));
        Assert.Equal(verb != FillVerb.Poison, load.Await().IsOk);
    }

    // Step 7: the write-protect flag needs a mapping registered for it.
    [Theory]
    [InlineData(FillVerb.Copy)]
    [InlineData(FillVerb.Continue)]
    public void Fill_WriteProtectFlagWithoutThatMode_EINVALInTheField(FillVerb verb)
    {
        Scene scene = Set(verb);
        Expect.Fails(scene.Fill(scene.Area.Page(0), FillModes.WriteProtect), Errno.EINVAL);
        Assert.False(Bed.Pagemap(scene.Area, 0).IsPresent);
    }

    // Step 8: partial progress, and its rest.
    [Theory]
    [MemberData(nameof(Verbs))]
    public void Fill_ThirdPageOccupied_PartialThenTheRealError(FillVerb verb)
    {
        Scene scene = Set(verb);
        Expect.Filled(scene.Occupy(2), PageSize.Small);
        FillResult result = scene.Fill(scene.Area.Range);
        Expect.Partial(result, 2 * PageSize.Small);
        Assert.False(result.IsChanging);
        Expect.Fails(scene.FillRest(2), Errno.EEXIST);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Fill_Partial_WakesExactlyTheWaitersOfWhatWasDone(FillVerb verb)
    {
        Scene scene = Set(verb);
        PendingAccess done = Bed.StartLoad(scene.Area.At(1));
        PendingAccess skipped = Bed.StartLoad(scene.Area.At(3));
        scene.Monitor.AwaitPending(2);
        Expect.Filled(scene.Occupy(2), PageSize.Small);
        Expect.Partial(scene.Fill(scene.Area.Range), 2 * PageSize.Small);
        Assert.Equal(verb != FillVerb.Poison, done.Await().IsOk);
        skipped.AssertStillBlocked();
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    [Regression(19)]
    public void Fill_EEXIST_WakesNobody(FillVerb verb)
    {
        Scene scene = Set(verb);
        PendingAccess load = Bed.StartLoad(scene.Area.At(0));
        Assert.Equal(UserfaultfdEvent.PageFault, scene.Monitor.NextMessage().Event);
        Expect.Filled(scene.Fill(scene.Area.Page(0), FillModes.DontWake), PageSize.Small);
        Expect.Fails(scene.FillRest(0), Errno.EEXIST);
        load.AssertStillBlocked();
        Expect.Ok(scene.Monitor.Uffd.Wake(scene.Area.Page(0)));
        Assert.Equal(verb != FillVerb.Poison, load.Await().IsOk);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Fill_WithAndWithoutDontWake_WaiterSleepsOrWakes(FillVerb verb)
    {
        Scene scene = Set(verb);
        PendingAccess first = Bed.StartLoad(scene.Area.At(0));
        PendingAccess second = Bed.StartLoad(scene.Area.At(1));
        scene.Monitor.AwaitPending(2);
        Expect.Filled(scene.Fill(scene.Area.Page(0), FillModes.DontWake), PageSize.Small);
        first.AssertStillBlocked();
        Expect.Filled(scene.FillPage(1), PageSize.Small);
        Assert.Equal(verb != FillVerb.Poison, second.Await().IsOk);
        first.AssertStillBlocked();
        Expect.Ok(scene.Monitor.Uffd.Wake(scene.Area.Page(0)));
        Assert.Equal(verb != FillVerb.Poison, first.Await().IsOk);
    }

    private Scene Set(FillVerb verb, UserfaultfdFeatures features = UserfaultfdFeatures.None)
    {
        MemoryKind kind = verb == FillVerb.Continue ? MemoryKind.ShmemShared : MemoryKind.Anonymous;
        MappedArea area = Bed.Map(kind);
        MappedArea source = Bed.Map(MemoryKind.Anonymous);
        Bed.WriteBytes(source.At(0), Pattern.Bytes(source.Range.Length, 1));
        if (kind.IsCached())
        {
            Bed.FillCache(area);
        }

        RegisterModes modes = RegisterModes.Missing | (kind.IsCached() ? RegisterModes.Minor : RegisterModes.None);
        return new(verb, area, source, Bed.Watch(area, modes, features));
    }

    /// <summary>An area in which a call would succeed, with the pages it takes.</summary>
    private sealed record Scene(FillVerb Verb, MappedArea Area, MappedArea Source, FaultMonitor Monitor)
    {
        internal FillResult Fill(AddressRange range, FillModes modes = FillModes.None) => Verb.Issue(Monitor.Uffd, range, Source.At(0), modes);

        /// <summary>Fills one page; MOVE takes the source page of the same number.</summary>
        internal FillResult FillPage(int page) => Verb.Issue(Monitor.Uffd, Area.Page(page), Source.At(page));

        /// <summary>Fills from a page on; MOVE takes source pages that are still there.</summary>
        internal FillResult FillRest(int page) => Verb.Issue(Monitor.Uffd, Area.Pages(page, 1), Source.At(3));

        /// <summary>As <see cref="Fill"/>, but COPY too takes its bytes from the address space, so that no length is impossible.</summary>
        internal FillResult FillFrom(AddressRange range) =>
            Verb == FillVerb.Copy ? Monitor.Uffd.Copy(range, Source.At(0)) : Verb.Issue(Monitor.Uffd, range, Source.At(0));

        /// <summary>Has something in a page, which no call may replace.</summary>
        internal FillResult Occupy(int page) => Verb == FillVerb.Continue
            ? Monitor.Uffd.Continue(Area.Page(page), FillModes.DontWake)
            : Monitor.Uffd.Zeropage(Area.Page(page), FillModes.DontWake);
    }
}
