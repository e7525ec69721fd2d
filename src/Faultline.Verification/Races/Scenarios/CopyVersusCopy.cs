namespace Faultline.Verification.Races.Scenarios;

internal sealed class CopyVersusCopy : RaceScenario
{
    public override string Story => "Two handlers copy into one page: one wins, the other hears EEXIST, and the page has the winner's bytes.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        Errno one = default;
        Errno two = default;
        bed.Thread("handler one", () => one = context.Copy(area.Start, RaceBed.Content(RaceBed.Old)).Errno);
        bed.Thread("handler two", () => two = context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno);
        bed.AtEnd(() =>
        {
            RaceBed.Require((one, two) is (Errno.None, Errno.EEXIST) or (Errno.EEXIST, Errno.None), $"the two copies answered {one} and {two}.");
            ulong expected = one == Errno.None ? RaceBed.Old : RaceBed.New;
            RaceBed.Require(RaceBed.Load(bed.Access(), area) == expected, "the page has the bytes of the copy that failed.");
        });
    }
}
