namespace Faultline.Verification.Races.Scenarios;

internal sealed class KillVersusFault : RaceScenario
{
    public override string Story => "A process ends while one of its threads faults: the thread is told, and the memory is given back once.";

    public override void Arrange(RaceBed bed)
    {
        IAddressSpace space = bed.NewSpace();
        AddressRange area = new(space.Map(MapRequest.PrivateAnonymous(RaceBed.PageBytes)).OrThrow("mmap"), RaceBed.PageBytes);
        bed.Watch(area, RegisterModes.Missing, space: space);
        IMemoryAccess access = bed.Access(space);
        bed.Thread("client", () =>
        {
            AccessFault fault = access.Load(area.Start, out _).Fault;
            RaceBed.Require(fault == AccessFault.Killed, $"the load ended with {fault}.");
        });
        bed.Thread("killer", space.Dispose);
    }
}
