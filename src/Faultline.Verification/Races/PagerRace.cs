using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>A race with the pager in it: its threads belong to the schedule, because a thread of the schedule makes it.</summary>
internal abstract class PagerRace : RaceScenario
{
    protected const ulong Word = RaceBed.Old;

    private const UserfaultfdFeatures Features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;

    /// <summary>The pages of the image.</summary>
    protected virtual int Pages => 1;

    /// <summary>How much of it may be in memory.</summary>
    protected virtual ulong? BudgetBytes => null;

    /// <summary>Whether reads of the store fail.</summary>
    protected virtual bool StoreFails => false;

    protected virtual UserfaultfdFeatures MoreFeatures => UserfaultfdFeatures.None;

    public override void Arrange(RaceBed bed)
    {
        IAddressSpace space = bed.NewSpace();
        IMemoryAccess[] accesses = [bed.Access(space), bed.Access(space)];
        bed.Thread("main", () => Run(bed, space, accesses));
    }

    /// <summary>What meets; <paramref name="pager"/> is disposed afterwards.</summary>
    protected abstract void Meet(Pager pager, IAddressSpace space, AddressRange area, IMemoryAccess[] accesses);

    /// <summary>A load that may end in the image's word, or in a fault that is allowed.</summary>
    protected static void Load(IMemoryAccess access, AddressRange area, int page, params ReadOnlySpan<AccessFault> allowed)
    {
        AccessFault fault = access.Load(RaceBed.PageOf(area, page).Start, out ulong value).Fault;
        RaceBed.Require(
            fault == AccessFault.None ? value == Word : allowed.Contains(fault), $"a load of page {page} ended with {fault} and {value:x}.");
    }

    private void Run(RaceBed bed, IAddressSpace space, IMemoryAccess[] accesses)
    {
        PagerOptions options = new()
        {
            HandlerThreads = 1,
            LoadBytes = (int)PageSize.Small,
            SequentialWindowBytes = (int)PageSize.Small,
            NeighbourPages = 1,
            BudgetBytes = BudgetBytes,
            TimeProvider = ScheduleClock.Instance,
        };
        using Pager pager = new(bed.Engine, options);
        PagedImage image = pager.OpenImage(new Store(RaceBed.Content(Word, Pages), StoreFails));
        var request = MapRequest.PrivateFile(image.File, image.MappedLength);
        AddressRange area = new(space.Map(in request).OrThrow("mmap"), image.MappedLength);
        PagerClient client = pager.Attach(UserfaultfdHandshake.Open(space, Features | MoreFeatures).OrThrow("userfaultfd"));
        client.AddRegion(area, image, 0, RegionKind.PrivateImage);
        Meet(pager, space, area, accesses);
    }

    private sealed class Store(byte[] contents, bool fails) : IPageStore
    {
        public ulong Length => (ulong)contents.Length;

        public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            if (fails)
            {
                return new(StoreRead.Failed(new System.IO.IOException("This read was to fail.")));
            }

            contents.AsMemory((int)offset, target.Length).CopyTo(target);
            return new(StoreRead.Of(target.Length));
        }

        public void Dispose()
        {
            // The bytes are the scenario's.
        }
    }
}
