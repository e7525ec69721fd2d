namespace Faultline.Verification.Races.Scenarios;

internal sealed class HugeSplitVersusMove : MoveRace
{
    public override string Story => "MOVE takes a small part out of a huge page, which splits it, while a thread writes that part: the write is in the moved page, or in a new one.";

    public override ulong MemoryBytes => RaceBed.HugeMemoryBytes;

    protected override AddressRange MapSource(RaceBed bed, IMemoryAccess access)
    {
        AddressRange source = bed.MapHuge(access);
        bed.AtEnd(() => RaceBed.Require(RaceBed.Load(access, source, page: 1) == RaceBed.Old, "a page beside it has other bytes."));
        return source;
    }
}
