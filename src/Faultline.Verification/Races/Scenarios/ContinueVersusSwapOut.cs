using System;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class ContinueVersusSwapOut : RaceScenario
{
    public override string Story => "CONTINUE maps a page that is being swapped out through another mapping: the bytes stay what they were.";

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(pages: 1, filled: 1);
        AddressRange alias = bed.MapShared(file, pages: 1);
        RaceBed.Load(bed.Access(), alias);
        AddressRange area = bed.MapShared(file, pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(area).Errno));
        bed.Thread("reclaim", () => RaceBed.Expect("MADV_PAGEOUT", bed.Space.Advise(alias, Advice.PageOut).Errno));
        bed.AtEnd(() =>
        {
            byte[] bytes = new byte[RaceBed.PageBytes];
            file.Read(0, bytes).OrThrow("pread");
            RaceBed.Require(bytes.AsSpan().SequenceEqual(RaceBed.Content(RaceBed.Old)), "the file's page has other bytes than were written.");
        });
    }
}
