using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerTwoFaultsOnePage : PagerRace
{
    public override string Story => "Two threads fault in one page of an image: it is read once or joined, and both get its bytes.";

    protected override void Meet(Pager pager, IAddressSpace space, AddressRange area, IMemoryAccess[] accesses)
    {
        SeamThread other = Seam.Start("client two", () => Load(accesses[1], area, page: 0));
        Load(accesses[0], area, page: 0);
        other.Join();
    }
}
