namespace Faultline.Verification.Races.Scenarios;

internal sealed class TwoClonesOnePunch : RaceScenario
{
    public override string Story => "Two processes continue one page of a file while a hole is punched there: all three come to an end, and nobody keeps the page.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        IAddressSpace other = bed.NewSpace();
        AddressRange one = bed.MapShared(file, pages: 1);
        AddressRange two = bed.MapShared(file, pages: 1, other);
        IUserfaultfd first = bed.Watch(one, RegisterModes.Minor);
        IUserfaultfd second = bed.Watch(two, RegisterModes.Minor, space: other);
        bed.Thread("handler one", () => RaceBed.Expect("UFFDIO_CONTINUE", first.Continue(one).Errno, Errno.EFAULT));
        bed.Thread("handler two", () => RaceBed.Expect("UFFDIO_CONTINUE", second.Continue(two).Errno, Errno.EFAULT));
        bed.Thread("puncher", () => RaceBed.Expect("fallocate", file.PunchHole(0, RaceBed.PageBytes).Errno));
        bed.AtEnd(() => RaceBed.Require(file.GetStatus().Value.Blocks == 0, "the file still has the page."));
    }
}
