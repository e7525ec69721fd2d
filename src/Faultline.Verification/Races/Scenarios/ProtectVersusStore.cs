namespace Faultline.Verification.Races.Scenarios;

internal sealed class ProtectVersusStore : RaceScenario
{
    public override string Story => "Write access is taken away while a thread writes: the write is done before, or refused.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IMemoryAccess access = bed.Access();
        RaceBed.Store(access, area, RaceBed.Old);
        AccessFault fault = default;
        bed.Thread("writer", () => fault = access.Store(area.Start, RaceBed.New).Fault);
        bed.Thread("protector", () => RaceBed.Expect("mprotect", bed.Space.Protect(area, Protections.Read).Errno));
        bed.AtEnd(() =>
        {
            ulong expected = fault == AccessFault.None ? RaceBed.New : RaceBed.Old;
            RaceBed.Require(fault is AccessFault.None or AccessFault.Protection, $"the store ended with {fault}.");
            RaceBed.Require(RaceBed.Load(access, area) == expected, $"the store ended with {fault}, and the page says otherwise.");
        });
    }
}
