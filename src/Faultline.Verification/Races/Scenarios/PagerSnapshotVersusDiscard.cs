using System;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerSnapshotVersusDiscard : PagerRace
{
    public override string Story =>
        "A page is thrown away while a snapshot keeps it for a writer, by the only handler thread: the writer goes on; the snapshot has what was there, or the image's, or says why not.";

    protected override void Prepare(PagerScene scene) =>
        RaceBed.Require(scene.Access[0].Store(scene.Area.Start, RaceBed.Old).IsOk, "the page could not be written.");

    protected override void Meet(PagerScene scene)
    {
        using var snapshot = MemorySnapshot.Take(scene.Client, scene.Space, scene.Area);
        SeamThread writer = Seam.Start("client", () =>
            RaceBed.Require(scene.Access[0].Store(scene.Area.Start, RaceBed.New).IsOk, "the write failed."));
        RaceBed.Expect("MADV_DONTNEED", scene.Space.Advise(RaceBed.PageOf(scene.Area, 0), Advice.DontNeed).Errno);
        writer.Join();
        byte[] bytes = new byte[RaceBed.PageBytes];
        ValueTask<StoreRead> read = snapshot.ReadAsync(0, bytes, default);
        ulong word = BitConverter.ToUInt64(bytes);
        bool hasFailed = read is { IsCompletedSuccessfully: true, Result.IsOk: false };
        bool wasRead = read is { IsCompletedSuccessfully: true, Result.IsOk: true };
        RaceBed.Require(hasFailed || (wasRead && (word == RaceBed.Old || word == WordOf(0))), $"the snapshot has {word:x}, or was not read at once.");
    }
}
