using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_API: what it reports, what it refuses, and that it latches once.</summary>
[Section("1.3")]
public abstract class HandshakeConformance(EngineHost host) : ConformanceSuite(host)
{
    private const UserfaultfdFeatures EveryFeature = (UserfaultfdFeatures)0x1FFFF;

    /// <summary>The features one at a time.</summary>
    public static TheoryData<UserfaultfdFeatures> EachFeature =>
        [.. Enumerable.Range(0, 17).Select(bit => (UserfaultfdFeatures)(1UL << bit))];

    [Fact]
    public void Handshake_NoFeatures_ReportsVersionEveryFeatureAndTheCallsOfTheContext()
    {
        UserfaultfdApi api = Expect.Ok(Open().Handshake(UserfaultfdFeatures.None));
        Assert.Equal(0xAAUL, api.Api);
        Assert.Equal(EveryFeature, api.Features & EveryFeature);
        Assert.Equal(UserfaultfdIoctls.Api | UserfaultfdIoctls.Register | UserfaultfdIoctls.Unregister, api.Ioctls);
    }

    [Theory]
    [Section("1.4")]
    [MemberData(nameof(EachFeature))]
    public void Handshake_OneFeature_EnablesItAndStillReportsAll(UserfaultfdFeatures feature)
    {
        if (feature == UserfaultfdFeatures.EventFork)
        {
            Bed.NeedForkEvents();
        }

        using IUserfaultfd uffd = Open();
        UserfaultfdApi api = Expect.Ok(uffd.Handshake(feature));
        Assert.Equal(EveryFeature, api.Features & EveryFeature);
        Assert.Equal(feature, uffd.Features & feature);
    }

    [Fact]
    [Section("1.4")]
    public void Handshake_AllFeaturesAtOnce_Succeeds()
    {
        Bed.NeedForkEvents();
        using IUserfaultfd uffd = Open();
        Expect.Ok(uffd.Handshake(EveryFeature));
        Assert.Equal(EveryFeature, uffd.Features);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0xA9UL)]
    [InlineData(0xABUL)]
    [InlineData(0xAA_0000_0000UL)]
    [InlineData(ulong.MaxValue)]
    public void Handshake_OtherVersion_EINVALAndAllZero(ulong version)
    {
        SystemResult<UserfaultfdApi> result = Open().Handshake(UserfaultfdFeatures.None, version);
        Assert.Equal(new(default, Errno.EINVAL), result);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(47)]
    [InlineData(63)]
    public void Handshake_UnknownFeature_EINVALAndAllZero(int bit)
    {
        SystemResult<UserfaultfdApi> result = Open().Handshake((UserfaultfdFeatures)(1UL << bit));
        Assert.Equal(new(default, Errno.EINVAL), result);
    }

    [Fact]
    public void Handshake_AfterAFailedOne_Succeeds()
    {
        using IUserfaultfd uffd = Open();
        Expect.Fails(uffd.Handshake((UserfaultfdFeatures)(1UL << 63)), Errno.EINVAL);
        Expect.Fails(uffd.Handshake(UserfaultfdFeatures.None, api: 1), Errno.EINVAL);
        Assert.Equal(UserfaultfdFeatures.None, uffd.Features);
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.ThreadId));
        Assert.Equal(UserfaultfdFeatures.ThreadId, uffd.Features);
    }

    [Fact]
    public void Handshake_AfterAFailedOne_OtherCallsStillEINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        using IUserfaultfd uffd = Open();
        Expect.Fails(uffd.Handshake((UserfaultfdFeatures)(1UL << 63)), Errno.EINVAL);
        Expect.Fails(uffd.Register(area.Range, RegisterModes.Missing), Errno.EINVAL);
    }

    [Fact]
    public void Handshake_SecondTime_EINVALAndAllZero()
    {
        using IUserfaultfd uffd = Open();
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
        Assert.Equal(new(default, Errno.EINVAL), uffd.Handshake(UserfaultfdFeatures.None));
        Assert.Equal(new(default, Errno.EINVAL), uffd.Handshake(UserfaultfdFeatures.ThreadId));
    }

    [Fact]
    public void Handshake_SecondTime_DisturbsNothing()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Handshake(UserfaultfdFeatures.ThreadId), Errno.EINVAL);
        PendingAccess load = Bed.StartLoad(area.At(0));
        UserfaultfdMessage message = monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Assert.Equal(0u, message.ThreadId);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        Assert.Equal(0UL, load.AwaitValue());
    }

    // two concurrent calls, one wins.
    [Fact]
    [Regression(16)]
    public void Handshake_TwoAtOnce_ExactlyOneSucceeds()
    {
        for (int round = 0; round < 50; round++)
        {
            using IUserfaultfd uffd = Open();
            using Barrier start = new(2);
            PendingWork<Errno> first = Race(uffd, start, UserfaultfdFeatures.None);
            PendingWork<Errno> second = Race(uffd, start, UserfaultfdFeatures.ThreadId);
            Assert.Equal([Errno.None, Errno.EINVAL], new[] { first.Await(), second.Await() }.Order());
        }
    }

    [Fact]
    public void Probe_TwoSteps_TellsFeaturesAndOpensWithThem()
    {
        Bed.NeedKernelFaults();
        Assert.Equal(EveryFeature, EveryFeature & Expect.Ok(UserfaultfdHandshake.Probe(Bed.Space, UserfaultfdOptions.CloseOnExec)));
        using IUserfaultfd uffd = Expect.Ok(UserfaultfdHandshake.Open(Bed.Space, UserfaultfdFeatures.ThreadId, (UserfaultfdFeatures)(1UL << 63)));
        Assert.Equal(UserfaultfdFeatures.ThreadId, uffd.Features);
        Expect.Fails(UserfaultfdHandshake.Open(Bed.Space, (UserfaultfdFeatures)(1UL << 63)), Errno.EINVAL);
    }

    private static PendingWork<Errno> Race(IUserfaultfd uffd, Barrier start, UserfaultfdFeatures features) => new("handshake", () =>
    {
        start.SignalAndWait(Deadline.Normal);
        return uffd.Handshake(features).Errno;
    });

    private IUserfaultfd Open() => Bed.OpenContext(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec);
}
