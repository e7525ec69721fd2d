using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class RemoveEventVersusCopy : RaceScenario
{
    public override string Story => "A REMOVE event is on its way while a handler copies: EAGAIN until the event was read and its thread went on, then done.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        bed.Thread("dropper", () => RaceBed.Expect("MADV_DONTNEED", bed.Space.Advise(area, Advice.DontNeed).Errno));
        bed.Thread("handler", () =>
        {
            byte[] bytes = RaceBed.Content(RaceBed.New);
            Errno errno = RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, bytes).Errno, Errno.EAGAIN);
            RaceBed.Require(RaceBed.ReadOne(context).Value.Event == UserfaultfdEvent.Remove, "the message is no REMOVE event.");
            while (errno == Errno.EAGAIN)
            {
                Seam.Yield();
                errno = RaceBed.Expect("UFFDIO_COPY", context.Copy(area.Start, bytes).Errno, Errno.EAGAIN);
            }
        });
    }
}
