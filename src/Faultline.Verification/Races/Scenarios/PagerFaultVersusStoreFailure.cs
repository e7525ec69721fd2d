using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerFaultVersusStoreFailure : PagerRace
{
    public override string Story => "The store fails while two threads wait for its page: both end in an error, and neither in zeroes.";

    protected override bool StoreFails => true;

    protected override void Meet(Pager pager, IAddressSpace space, AddressRange area, IMemoryAccess[] accesses)
    {
        SeamThread other = Seam.Start("client two", () => Load(accesses[1], area, page: 0, AccessFault.BusError));
        AccessFault fault = accesses[0].Load(area.Start, out _).Fault;
        RaceBed.Require(fault == AccessFault.BusError, $"the load ended with {fault}.");
        other.Join();
    }
}
