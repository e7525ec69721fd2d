namespace Faultline.Verification.Races.Scenarios;

internal sealed class TwoHandlersOneContext : RaceScenario
{
    public override string Story => "Two handlers read one userfaultfd: one gets the fault, the other sleeps on until the context is closed.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess access = bed.Access();
        int served = 0;
        void Serve()
        {
            SystemResult<UserfaultfdMessage> read = RaceBed.ReadOne(context);
            if (RaceBed.Expect("read", read.Errno, Errno.ECANCELED, Errno.EBADF) == Errno.None)
            {
                served++;
                RaceBed.Expect("UFFDIO_COPY", context.Copy(read.Value.Address, RaceBed.Content(RaceBed.New)).Errno);
            }
        }

        bed.Thread("client", () =>
        {
            RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the client reads something else than was copied.");
            context.Dispose();
        });
        bed.Thread("handler one", Serve);
        bed.Thread("handler two", Serve);
        bed.AtEnd(() => RaceBed.Require(served == 1, $"{served} handlers read the one fault."));
    }
}
