namespace Faultline.Verification.Races.Scenarios;

internal sealed class PollVersusFault : RaceScenario
{
    public override string Story => "A handler waits in a poller while a thread faults: it is told, whoever comes first.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Open(isBlocking: false);
        context.Register(area, RegisterModes.Missing);
        IUserfaultfdPoller poller = bed.Own(bed.Engine.CreatePoller());
        poller.Add(context, tag: 7).OrThrow("epoll_ctl");
        IMemoryAccess access = bed.Access();
        bed.Thread("client", () => RaceBed.Require(RaceBed.Load(access, area) == RaceBed.New, "the client read something else than was copied."));
        bed.Thread("handler", () =>
        {
            long[] ready = new long[1];
            var messages = new UserfaultfdMessage[1];
            do
            {
                poller.Wait(ready, timeoutMs: -1).OrThrow("epoll_wait");
            }
            while (RaceBed.Expect("read", context.Read(messages).Errno, Errno.EAGAIN) == Errno.EAGAIN);

            RaceBed.Expect("UFFDIO_COPY", context.Copy(messages[0].Address, RaceBed.Content(RaceBed.New)).Errno);
        });
    }
}
