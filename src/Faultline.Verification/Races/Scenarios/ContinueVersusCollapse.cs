namespace Faultline.Verification.Races.Scenarios;

internal sealed class ContinueVersusCollapse : RaceScenario
{
    public override string Story => "CONTINUE maps a page of a file while another mapping of it is made one huge page: the bytes stay what they were, and huge or not, it adds up.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    public override void Arrange(RaceBed bed)
    {
        IMemoryFile file = bed.File(RaceBed.SmallInHuge, filled: 2);
        AddressRange alias = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 0);
        RaceBed.Load(bed.Access(), alias);
        AddressRange area = bed.MapHugeAligned(MapRequest.SharedFile(file, PageSize.Huge), place: 1);
        IUserfaultfd context = bed.Watch(area, RegisterModes.Minor);
        AddressRange page = RaceBed.PageOf(area, page: 1);
        bed.Thread("handler", () => RaceBed.Expect("UFFDIO_CONTINUE", context.Continue(page).Errno));
        bed.Thread("collapser", () => RaceBed.Expect("MADV_COLLAPSE", bed.Space.Advise(alias, Advice.Collapse).Errno, Errno.EAGAIN, Errno.EINVAL));
        bed.AtEnd(() =>
        {
            // The collapse may have taken the entry away again, as reclaim may: that is another fault for the handler.
            context.Dispose();
            RaceBed.Require(RaceBed.Load(bed.Access(), area, page: 1) == RaceBed.Old, "the continued page has other bytes than the file.");
            RaceBed.Require(RaceBed.Load(bed.Access(), alias) == RaceBed.Old, "the collapsed page has other bytes than the file.");
        });
    }
}
