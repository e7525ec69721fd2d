namespace Faultline.Verification.Races.Scenarios;

internal sealed class UnmapVersusLoad : RaceScenario
{
    public override string Story => "A mapping and its page tables go while a thread walks them: it reads the page, or hears that nothing is mapped.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IMemoryAccess access = bed.Access();
        RaceBed.Store(access, area, RaceBed.Old);
        IMemoryAccess reader = bed.Access();
        bed.Thread("reader", () =>
        {
            AccessFault fault = reader.Load(area.Start, out ulong value).Fault;
            RaceBed.Require(
                (fault, value) is (AccessFault.None, RaceBed.Old) || fault == AccessFault.NotMapped,
                $"the load ended with {fault} and {value:x}.");
        });
        bed.Thread("unmapper", () => RaceBed.Expect("munmap", bed.Space.Unmap(area).Errno));
    }
}
