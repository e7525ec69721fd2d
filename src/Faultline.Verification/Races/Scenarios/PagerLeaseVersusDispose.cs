using System;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerLeaseVersusDispose : PagerRace
{
    public override string Story => "The pager ends while a lease brings its page: the lease has the page's bytes until it ends, or says that nobody serves it any more; nobody waits on.";

    protected override void Prepare(PagerScene scene) => scene.MapHere();

    protected override void Meet(PagerScene scene)
    {
        SeamThread other = Seam.Start("reader", () => Read(scene.Here!));
        scene.Pager.Dispose();
        other.Join();
    }

    private static void Read(PagedMemory memory)
    {
        try
        {
            using Lease lease = memory.Lease(0, sizeof(ulong));
            ulong word = BitConverter.ToUInt64(lease.Bytes);
            RaceBed.Require(word == WordOf(0), $"the leased page has {word:x}.");
        }
        catch (Exception end) when (end is PageLoadException or ObjectDisposedException)
        {
            // The definite error.
        }
    }
}
