namespace Faultline.Verification.Races.Scenarios;

internal sealed class CloseVersusFault : RaceScenario
{
    public override string Story => "The userfaultfd is closed while a thread faults: it is woken, and goes the ordinary way.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Require(RaceBed.Load(access, area) == 0, "the client reads bytes that nobody wrote."));
        bed.Thread("closer", context.Dispose);
    }
}
