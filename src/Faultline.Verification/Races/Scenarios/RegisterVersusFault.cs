namespace Faultline.Verification.Races.Scenarios;

internal sealed class RegisterVersusFault : RaceScenario
{
    public override string Story => "An area is registered while a thread faults in it: the fault is the kernel's or ours, and the thread goes on.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Open();
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Require(RaceBed.Load(access, area) == 0, "the client reads bytes that nobody wrote."));
        bed.Thread("handler", () =>
        {
            RaceBed.Expect("UFFDIO_REGISTER", context.Register(area, RegisterModes.Missing).Errno);
            RaceBed.Expect("UFFDIO_ZEROPAGE", context.Zeropage(area).Errno, Errno.EEXIST);
        });
    }
}
