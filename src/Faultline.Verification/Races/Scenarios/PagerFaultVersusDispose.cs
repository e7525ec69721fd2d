using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusDispose : PagerRace
{
    public override string Story => "The pager ends while a thread faults: the thread gets the page, or an error; it does not sleep on, and reads no zeroes.";

    protected override void Meet(Pager pager, IAddressSpace space, AddressRange area, IMemoryAccess[] accesses)
    {
        SeamThread other = Seam.Start("client", () => Load(accesses[0], area, page: 0, AccessFault.BusError));
        pager.Dispose();
        other.Join();
    }
}
