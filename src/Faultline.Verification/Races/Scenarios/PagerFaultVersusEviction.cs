using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusEviction : PagerRace
{
    public override string Story => "Two threads walk over more pages than the budget holds: pages go while others come, and nobody sees other bytes.";

    protected override int Pages => 4;

    protected override ulong? BudgetBytes => 2 * PageSize.Small;

    protected override void Meet(Pager pager, IAddressSpace space, AddressRange area, IMemoryAccess[] accesses)
    {
        SeamThread other = Seam.Start("client two", () =>
        {
            Load(accesses[1], area, page: 2);
            Load(accesses[1], area, page: 3);
        });
        Load(accesses[0], area, page: 0);
        Load(accesses[0], area, page: 1);
        other.Join();
    }
}
