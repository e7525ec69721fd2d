namespace Faultline.Verification.Races.Scenarios;

internal sealed class MoveVersusStore : MoveRace
{
    public override string Story => "MOVE takes a page away while a thread writes it: the write is in the moved page, or in a new one; never nowhere.";

    protected override AddressRange MapSource(RaceBed bed, IMemoryAccess access)
    {
        AddressRange source = bed.MapAnonymous(pages: 1);
        RaceBed.Store(access, source, RaceBed.Old);
        return source;
    }
}
