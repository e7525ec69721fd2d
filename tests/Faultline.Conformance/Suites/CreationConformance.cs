using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Opening a userfaultfd, and what it is before its handshake.</summary>
[Section("1.1")]
public abstract class CreationConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [InlineData(UserfaultfdOptions.None)]
    [InlineData(UserfaultfdOptions.UserModeOnly)]
    [InlineData(UserfaultfdOptions.NonBlocking)]
    [InlineData(UserfaultfdOptions.CloseOnExec)]
    [InlineData(UserfaultfdOptions.UserModeOnly | UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec)]
    public void Open_KnownFlags_Succeeds(UserfaultfdOptions options)
    {
        if ((options & UserfaultfdOptions.UserModeOnly) == 0)
        {
            Bed.NeedKernelFaults();
        }

        using IUserfaultfd uffd = Expect.Ok(Bed.Space.OpenUserfaultfd(options));
        Assert.Equal(options, uffd.Options);
        Assert.Equal(UserfaultfdFeatures.None, uffd.Features);
    }

    [Fact]
    public void Open_AnyOtherFlag_EINVAL()
    {
        const uint Known = 1u | 0x800u | 0x80000u;
        Assert.All(Enumerable.Range(0, 32).Where(bit => (1u << bit & Known) == 0), bit =>
            Expect.Fails(Bed.Space.OpenUserfaultfd(UserfaultfdOptions.UserModeOnly | (UserfaultfdOptions)unchecked((int)(1u << bit))), Errno.EINVAL));
    }

    [Fact]
    public void OpenByDevice_KnownFlags_Succeeds()
    {
        using IUserfaultfd uffd = OpenDevice(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec);
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
    }

    [Fact]
    public void OpenByDevice_UnknownFlag_EINVAL()
    {
        OpenDevice(UserfaultfdOptions.None).Dispose();
        Expect.Fails(Bed.Space.OpenUserfaultfd((UserfaultfdOptions)2, UserfaultfdDoor.Device), Errno.EINVAL);
    }

    [Fact]
    public void OpenByDevice_Context_ReceivesFaults()
    {
        IUserfaultfd uffd = Bed.Own(OpenDevice(UserfaultfdOptions.NonBlocking));
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
        FaultMonitor monitor = Bed.Own(new FaultMonitor(Engine, uffd));
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        monitor.Register(area.Range, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 3)), area.PageBytes);
        Assert.Equal(Pattern.Word(3, 0), load.AwaitValue());
    }

    // 1.3: before a successful API every other call is refused, and the poll state is an error.
    [Theory]
    [Section("1.3")]
    [InlineData(FillVerb.Copy)]
    [InlineData(FillVerb.Zeropage)]
    [InlineData(FillVerb.Continue)]
    [InlineData(FillVerb.Poison)]
    [InlineData(FillVerb.Move)]
    public void Fill_BeforeHandshake_EINVALAndFieldUntouched(FillVerb verb)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        MappedArea other = Bed.Map(MemoryKind.Anonymous);
        IUserfaultfd uffd = Bed.OpenContext(UserfaultfdOptions.NonBlocking);
        Expect.Refused(verb.Issue(uffd, area.Page(0), other.At(0)), Errno.EINVAL);
    }

    [Fact]
    [Section("1.3")]
    public void RegisterAndOtherCalls_BeforeHandshake_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        IUserfaultfd uffd = Bed.OpenContext(UserfaultfdOptions.NonBlocking);
        Expect.Fails(uffd.Register(area.Range, RegisterModes.Missing), Errno.EINVAL);
        Expect.Fails(uffd.Unregister(area.Range), Errno.EINVAL);
        Expect.Fails(uffd.Wake(area.Range), Errno.EINVAL);
        Expect.Fails(uffd.WriteProtect(area.Range, WriteProtectModes.Protect), Errno.EINVAL);
        Expect.Fails(uffd.Read(new UserfaultfdMessage[1]), Errno.EINVAL);
    }

    // 3.5: poll is only meaningful on a non-blocking context.
    [Fact]
    [Section("3.5")]
    public void AddToPoller_BlockingContext_EINVAL()
    {
        IUserfaultfd uffd = Bed.OpenContext(UserfaultfdOptions.None);
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
        using IUserfaultfdPoller poller = Engine.CreatePoller();
        Expect.Fails(poller.Add(uffd, tag: 1), Errno.EINVAL);
    }

    // 1.2.4: the owner has exited. MOVE is issued from the owner, so it cannot be seen here.
    [Theory]
    [Section("1.2")]
    [InlineData(FillVerb.Copy)]
    [InlineData(FillVerb.Zeropage)]
    [InlineData(FillVerb.Continue)]
    [InlineData(FillVerb.Poison)]
    public void Fill_OwnerGone_ESRCHAndFieldUntouched(FillVerb verb)
    {
        (MappedArea area, IUserfaultfd uffd) = Orphan();
        Expect.Refused(verb.Issue(uffd, area.Page(0), area.At(1)), Errno.ESRCH);
    }

    [Fact]
    [Section("1.2")]
    [Regression(17)]
    public void WriteProtect_OwnerGone_ESRCH()
    {
        (MappedArea area, IUserfaultfd uffd) = Orphan();
        Expect.Fails(uffd.WriteProtect(area.Range, WriteProtectModes.Protect), Errno.ESRCH);
    }

    [Fact]
    [Section("1.2")]
    public void RegisterAndUnregister_OwnerGone_ENOMEM()
    {
        (MappedArea area, IUserfaultfd uffd) = Orphan();
        Expect.Fails(uffd.Register(area.Range, RegisterModes.Missing), Errno.ENOMEM);
        Expect.Fails(uffd.Unregister(area.Range), Errno.ENOMEM);
    }

    [Fact]
    [Section("1.2")]
    public void WakeAndRead_OwnerGone_AnswerAsIfQuiet()
    {
        (MappedArea area, IUserfaultfd uffd) = Orphan();
        Expect.Ok(uffd.Wake(area.Range));
        Expect.Fails(uffd.Read(new UserfaultfdMessage[1]), Errno.EAGAIN);
        Assert.Equal(new UserfaultfdCounts(0, 0), Expect.Ok(uffd.GetCounts()));
    }

    private (MappedArea Area, IUserfaultfd Uffd) Orphan()
    {
        IAddressSpace space = Expect.Ok(Engine.CreateAddressSpace());
        VirtualAddress place = Bed.NextPlace();
        const ulong Length = 4 * PageSize.Small;
        var request = MapRequest.PrivateAnonymous(Length);
        Expect.Ok(space.Map(request with { Address = place, Options = request.Options | MapOptions.FixedNoReplace }));
        IUserfaultfd uffd = Bed.OpenContext(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec, space);
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
        MappedArea area = new(MemoryKind.Anonymous, new(place, Length), File: null);
        Assert.Equal(Errno.None, uffd.Register(area.Range, RegisterModes.Missing | RegisterModes.WriteProtect).Errno);
        space.Dispose();
        return (area, uffd);
    }

    private IUserfaultfd OpenDevice(UserfaultfdOptions options)
    {
        SystemResult<IUserfaultfd> opened = Bed.Space.OpenUserfaultfd(options, UserfaultfdDoor.Device);
        Testbed.SkipIf(opened.Errno is Errno.ENOENT or Errno.EACCES ? $"/dev/userfaultfd cannot be opened: {opened.Errno}." : null);
        return Expect.Ok(opened);
    }
}
