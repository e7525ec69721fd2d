using System;
using Faultline.Paging;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;

namespace Faultline.Verification.Races;

/// <summary>A race with the pager in it: its threads belong to the schedule, because a thread of the schedule makes it.</summary>
internal abstract class PagerRace : RaceScenario
{
    protected const ulong Word = RaceBed.Old;

    private const UserfaultfdFeatures Features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;

    /// <summary>The pages of the image.</summary>
    protected virtual int Pages => 1;

    /// <summary>Whether reads of the store fail.</summary>
    protected virtual bool StoreFails => false;

    /// <summary>What the client's context does that the kernel seldom does; null for nothing.</summary>
    protected virtual Troubles? Troubles => null;

    protected virtual UserfaultfdFeatures MoreFeatures => UserfaultfdFeatures.None;

    /// <summary>The bytes of the image: another word in each page.</summary>
    private byte[] Contents
    {
        get
        {
            byte[] bytes = new byte[Pages * (int)PageSize.Small];
            for (int page = 0; page < Pages; page++)
            {
                RaceBed.Content(WordOf(page)).CopyTo(bytes, page * (int)PageSize.Small);
            }

            return bytes;
        }
    }

    public override void Arrange(RaceBed bed) => bed.Thread("main", () => Run(bed));

    /// <summary>What meets; everything is disposed afterwards.</summary>
    protected abstract void Meet(PagerScene scene);

    /// <summary>The word that a page of the image is full of.</summary>
    protected static ulong WordOf(int page) => Word + ((ulong)page << 56);

    /// <summary>A load that may end in the image's word, or in a fault that is allowed.</summary>
    protected static void Load(IMemoryAccess access, AddressRange area, int page, params ReadOnlySpan<AccessFault> allowed)
    {
        AccessFault fault = access.Load(RaceBed.PageOf(area, page).Start, out ulong value).Fault;
        RaceBed.Require(
            fault == AccessFault.None ? value == WordOf(page) : allowed.Contains(fault), $"a load of page {page} ended with {fault} and {value:x}.");
    }

    /// <summary>The options of the pager: as little as there can be, so that what is looked at is all there is.</summary>
    protected virtual PagerOptions Configure(PagerOptions smallest) => smallest;

    protected virtual RaceStore MakeStore(byte[] contents) => new(contents, StoreFails);

    /// <summary>What is done before the threads meet, with nobody beside.</summary>
    protected virtual void Prepare(PagerScene scene)
    {
    }

    private void Run(RaceBed bed)
    {
        PagerScene? scene = null;

        // Setting up and ending is the same whoever meets; that a pager ends beside a fault is a race of its own.
        Seam.Calmly(() =>
        {
            scene = new PagerScene(bed, Configure(Smallest), Features | MoreFeatures, MakeStore(Contents), Troubles);
            Prepare(scene);
        });
        Meet(scene!);
        Seam.Calmly(scene!.Dispose);
    }

    private static PagerOptions Smallest => new()
    {
        HandlerThreads = 1,
        LoadBytes = (int)PageSize.Small,
        SequentialWindowBytes = (int)PageSize.Small,
        NeighbourPages = 1,
        Prefetch = PrefetchOptions.Off,
        TimeProvider = ScheduleClock.Instance,
    };
}
