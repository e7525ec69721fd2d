namespace Faultline.Verification.Races.Scenarios;

internal sealed class UnregisterVersusFault : RaceScenario
{
    public override string Story => "An area is unregistered while a thread faults in it: whoever sleeps is woken, and goes the ordinary way.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Require(RaceBed.Load(access, area) == 0, "the client reads bytes that nobody wrote."));
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_UNREGISTER", context.Unregister(area).Errno));
    }
}
