using Faultline;
using Faultline.Paging;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;
using Xunit;

namespace TestYourPager;

/// <summary>The pager of <c>Faultline.Paging</c> itself under trial, with a store that makes trouble.</summary>
public sealed class PagerTests
{
    private const ulong Word = 0x5151515151515151;

    [Fact]
    public void Pager_SlowStoreAndLateWakes_GivesTheRightBytes() =>
        PagerTrial.Explore(
            static bed => Load(bed, new TroubledStore(bed, PagerBed.Content(Word)) { IsSlow = true }, AccessFault.None),
            new PagerTrialOptions { Troubles = new Troubles { SlowWakes = true } }).ThrowIfFailed();

    [Fact]
    public void Pager_StormOfAgain_GivesTheRightBytes() =>
        PagerTrial.Explore(
            static bed => Load(bed, new TroubledStore(bed, PagerBed.Content(Word)), AccessFault.None),
            new PagerTrialOptions { Troubles = new Troubles { AgainAnswers = 3 } }).ThrowIfFailed();

    [Fact]
    public void Pager_StoreFails_EndsInABusError() =>
        PagerTrial.Explore(static bed => Load(bed, new TroubledStore(bed, PagerBed.Content(Word)) { FailedReads = 100 }, AccessFault.BusError))
            .ThrowIfFailed();

    private static void Load(PagerBed bed, TroubledStore store, AccessFault expected)
    {
        PagerOptions options = new()
        {
            HandlerThreads = 1,
            LoadBytes = (int)PageSize.Small,
            SequentialWindowBytes = (int)PageSize.Small,
            NeighbourPages = 1,
            Prefetch = PrefetchOptions.Off,
            TimeProvider = PagerBed.Clock,
        };
        IAddressSpace client = bed.NewClient();
        AddressRange area = default;
        PagerBed.Prepare(() =>
        {
            Pager pager = bed.Own(new Pager(bed.Engine, options));
            PagedImage image = pager.OpenImage(store);
            area = PagerBed.Map(client, MapRequest.PrivateFile(image.File, image.MappedLength));
            const UserfaultfdFeatures Features = UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;
            PagerClient paged = bed.Own(pager.Attach(bed.Open(client, Features, UserfaultfdOptions.NonBlocking)));
            paged.AddRegion(area, image, 0, RegionKind.PrivateImage);
        });
        IMemoryAccess access = bed.Access(client);
        SeamThread reader = bed.Start("client", () =>
        {
            AccessFault fault = access.Load(area.Start, out ulong value).Fault;
            PagerBed.Require(fault == expected && (fault != AccessFault.None || value == Word), $"the load ended with {fault} and {value:x}.");
        });
        reader.Join();
    }
}
