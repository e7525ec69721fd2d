namespace Faultline.Verification.Races.Scenarios;

internal sealed class ContinueVersusFork : RaceScenario
{
    public override string Story => "CONTINUE while the process forks: the child sees the page, whether or not the entry was there to be copied.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor);
        IAddressSpace? child = null;
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno));
        bed.Thread("forker", () => child = bed.Own(bed.Space.Fork().OrThrow("fork")));
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(bed.Access(child), area) == RaceBed.Old, "the child reads other bytes than the file has."));
    }
}
