using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>mremap(2) of several mappings at once (since 6.17): moved to a given place without resizing, with the gaps between them.</summary>
[Section("10")]
public abstract class RemapConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Move_SeveralMappings_EachArrivesWithItsRights(MemoryKind kind)
    {
        MappedArea area = Striped(kind);
        MappedArea moved = area with { Range = area.Range with { Start = Bed.NextPlace() } };
        Assert.Equal(moved.Range.Start, Move(area.Range, moved.Range.Start).Value);
        Assert.Empty(Bed.Vmas(area.Range));
        Assert.Equal(
            [Protections.ReadWrite, Protections.Read, Protections.ReadWrite],
            Bed.Vmas(moved.Range).Select(vma => vma.Protection));
        Assert.All(Enumerable.Range(0, moved.PageTotal), page => Assert.Equal(Pattern.Word((ulong)page, 0), Bed.Load(moved.At(page))));
    }

    // What was mapped at the target under a gap stays.
    [Fact]
    public void Move_WithAGap_GapIsKeptAndWhatLiesUnderItToo()
    {
        MappedArea area = Striped(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Unmap(area.Page(2)));
        MappedArea target = Bed.MapAnonymous(area.PageTotal);
        Bed.Store(target.At(2), 77);
        Expect.Ok(Move(area.Range, target.Range.Start));
        Assert.Equal((Pattern.Word(1, 0), 77UL, Pattern.Word(3, 0)), (Bed.Load(target.At(1)), Bed.Load(target.At(2)), Bed.Load(target.At(3))));
    }

    [Fact]
    public void Move_GapAtTheStart_EFAULT()
    {
        MappedArea area = Striped(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Unmap(area.Page(0)));
        Expect.Fails(Move(area.Range, Bed.NextPlace()), Errno.EFAULT);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(area.At(1)));
    }

    [Fact]
    public void MoveAndResize_SeveralMappings_EFAULTAndNothingMoved()
    {
        MappedArea area = Striped(MemoryKind.Anonymous);
        VirtualAddress target = Bed.NextPlace();
        const RemapOptions Fixed = RemapOptions.MayMove | RemapOptions.Fixed;
        Expect.Fails(Bed.Space.Remap(area.Range, area.Range.Length + PageSize.Small, Fixed, target), Errno.EFAULT);
        Assert.Equal(Pattern.Word(3, 0), Bed.Load(area.At(3)));
    }

    // A mapping with a userfaultfd moves alone only. Those before it have moved by then.
    [Fact]
    public void Move_LaterMappingRegistered_EFAULTAfterTheEarlierMoved()
    {
        MappedArea area = Striped(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Pages(2, 2), RegisterModes.Missing);
        MappedArea moved = area with { Range = area.Range with { Start = Bed.NextPlace() } };
        Expect.Fails(Move(area.Range, moved.Range.Start), Errno.EFAULT);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(moved.At(1)));
        Assert.Equal(Pattern.Word(2, 0), Bed.Load(area.At(2)));
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Pages(2, 2)).RegisteredModes);
    }

    private SystemResult<VirtualAddress> Move(AddressRange range, VirtualAddress target) =>
        Bed.Space.Remap(range, range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target);

    /// <summary>Three mappings beside each other, the middle one read-only, with contents: pages 0-1 (the second read-only), and 2-3.</summary>
    private MappedArea Striped(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 4);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.WriteBytes(area.At(page), Pattern.Bytes(PageSize.Small, (ulong)page));
        }

        Expect.Ok(Bed.Space.Protect(area.Page(1), Protections.Read));
        return area;
    }
}
