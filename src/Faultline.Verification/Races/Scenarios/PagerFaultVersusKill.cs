using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusKill : PagerRace
{
    public override string Story => "A client is killed while it waits for a page: its thread is told, and the pager ends in order.";

    protected override void Meet(Pager pager, IAddressSpace space, AddressRange area, IMemoryAccess[] accesses)
    {
        SeamThread other = Seam.Start("client", () => Load(accesses[0], area, page: 0, AccessFault.Killed));
        space.Dispose();
        other.Join();
    }
}
