using System;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Canaries;

internal sealed class EvictionThatTakesALease : RaceCanary
{
    public override string Story => "A page is evicted that is leased: its bytes become those of another page.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Exception;

    public override void Arrange(RaceBed bed) => new Broken().Arrange(bed);

    private sealed class Broken : PagerRace
    {
        public override string Story => "";

        protected override int Pages => 3;

        protected override void Prepare(PagerScene scene) => scene.MapHere();

        protected override void Meet(PagerScene scene)
        {
            // What eviction does, but for the look at leases.
            SeamThread evictor = Seam.Start("evictor", () =>
            {
                RaceBed.Expect("fallocate", scene.Image.File.PunchHole(0, PageSize.Small).Errno);
                Load(scene.Access[0], scene.Area, page: 1);
                Load(scene.Access[0], scene.Area, page: 2);
            });
            Lease lease = scene.Here!.Lease(0, sizeof(ulong));
            evictor.Join();
            ulong word = BitConverter.ToUInt64(lease.Bytes);
            lease.Dispose();
            RaceBed.Require(word == WordOf(0), $"the leased page has {word:x}.");
        }
    }
}
