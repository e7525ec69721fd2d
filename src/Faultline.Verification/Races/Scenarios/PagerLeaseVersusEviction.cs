using System;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerLeaseVersusEviction : PagerRace
{
    public override string Story => "A page is leased while faults of another thread make room in a full budget: what is leased stays, and can be read until the end.";

    protected override int Pages => 3;

    protected override PagerOptions Configure(PagerOptions smallest) =>
        smallest with { Budget = new MemoryBudget(2 * PageSize.Small) { HeadroomBytes = 0 } };

    protected override void Prepare(PagerScene scene) => scene.MapHere();

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("client", () =>
        {
            Load(scene.Access[0], scene.Area, page: 1);
            Load(scene.Access[0], scene.Area, page: 2);
        });
        Lease lease = scene.Here!.Lease(0, sizeof(ulong));
        other.Join();
        ulong word = BitConverter.ToUInt64(lease.Bytes);
        lease.Dispose();
        RaceBed.Require(word == WordOf(0), $"the leased page has {word:x}.");
    }
}
