namespace Faultline.Verification.Races.Scenarios;

internal sealed class CopyVersusMremap : RaceScenario
{
    public override string Story => "COPY into a mapping that is being moved: the bytes move with it, or the copy finds nothing there.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 1);
        AddressRange target = bed.MapAnonymous(pages: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Missing);
        Errno copied = default;
        bed.Thread("handler", () => copied = RaceBed.Expect(
            "UFFDIO_COPY", context.Copy(area.Start, RaceBed.Content(RaceBed.New)).Errno, Errno.ENOENT, Errno.EAGAIN));
        bed.Thread("mover", () => RaceBed.Expect(
            "mremap", bed.Space.Remap(area, area.Length, RemapOptions.MayMove | RemapOptions.Fixed, target.Start).Errno));
        bed.AtEnd(() =>
        {
            context.Dispose();
            ulong expected = copied == Errno.None ? RaceBed.New : 0;
            RaceBed.Require(RaceBed.Load(bed.Access(), target) == expected, $"the copy answered {copied}, and the moved page says otherwise.");
        });
    }
}
