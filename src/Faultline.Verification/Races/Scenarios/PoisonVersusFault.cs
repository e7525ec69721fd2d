namespace Faultline.Verification.Races.Scenarios;

internal sealed class PoisonVersusFault : RaceScenario
{
    public override string Story => "POISON while a thread faults: the access ends with a bus error, asleep already or not.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.Poison);
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () =>
        {
            AccessFault fault = access.Load(area.Start, out _).Fault;
            RaceBed.Require(fault == AccessFault.BusError, $"the load ended with {fault}.");
        });
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_POISON", context.Poison(area).Errno));
    }
}
