using System;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class SnapshotVersusWriter : RaceScenario
{
    public override string Story => "Two pages are written one after the other while a snapshot is taken and read: it has neither write, the first, or both; never the second alone.";

    public override void Arrange(RaceBed bed)
    {
        AddressRange area = bed.MapAnonymous(pages: 2);
        IMemoryAccess writer = bed.Access();
        RaceBed.Store(writer, area, RaceBed.Old);
        RaceBed.Store(writer, area, RaceBed.Old, page: 1);
        bed.Thread("main", () =>
        {
            SeamThread thread = Seam.Start("writer", () =>
            {
                RaceBed.Store(writer, area, RaceBed.New);
                RaceBed.Store(writer, area, RaceBed.New, page: 1);
            });
            byte[] bytes = new byte[area.Length];
            using (var snapshot = MemorySnapshot.Take(bed.Engine, bed.Space, area))
            {
                ValueTask<StoreRead> read = snapshot.ReadAsync(0, bytes, default);
                RaceBed.Require(read is { IsCompletedSuccessfully: true, Result.IsOk: true }, "the snapshot could not be read.");
                thread.Join();
            }

            ulong first = BitConverter.ToUInt64(bytes);
            ulong second = BitConverter.ToUInt64(bytes, (int)RaceBed.PageBytes);
            RaceBed.Require(
                (first, second) is (RaceBed.Old, RaceBed.Old) or (RaceBed.New, RaceBed.Old) or (RaceBed.New, RaceBed.New),
                $"the snapshot has {first:x} and {second:x}, which the memory never had.");
            RaceBed.Require(RaceBed.Load(writer, area, page: 1) == RaceBed.New, "the write was lost.");
        });
    }
}
