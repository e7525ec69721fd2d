namespace Faultline.Verification.Races.Scenarios;

internal sealed class SwapInVersusSwapIn : RaceScenario
{
    public override string Story => "Two processes fault in one swapped page of theirs at once: both read it, and its slot is given back.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IMemoryAccess parent = bed.Access();
        RaceBed.Store(parent, area, RaceBed.Old);
        bed.Space.Advise(area, Advice.PageOut).OrThrow("MADV_PAGEOUT");
        IAddressSpace space = bed.Own(bed.Space.Fork().OrThrow("fork"));
        IMemoryAccess child = bed.Access(space);
        bed.Thread("parent", () => RaceBed.Require(RaceBed.Load(parent, area) == RaceBed.Old, "the parent reads other bytes."));
        bed.Thread("child", () => RaceBed.Store(child, area, RaceBed.New));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(parent, area) == RaceBed.Old, "the child's write is in the parent."));
    }
}
