using System;
using Faultline.Paging;

namespace Faultline.Verification.Races;

/// <summary>A pager with one image, and one client that maps it.</summary>
internal sealed class PagerScene : IDisposable
{
    private const int Accesses = 3;

    public PagerScene(RaceBed bed, PagerOptions options, UserfaultfdFeatures features, RaceStore store, int pages)
    {
        Bed = bed;
        Store = store;
        Space = bed.NewSpace();
        Access = new IMemoryAccess[Accesses];
        for (int i = 0; i < Accesses; i++)
        {
            Access[i] = bed.Access(Space);
        }

        Pager = new Pager(bed.Engine, options);
        Image = Pager.OpenImage(store);
        var request = MapRequest.PrivateFile(Image.File, Image.MappedLength);
        Area = new AddressRange(Space.Map(in request).OrThrow("mmap"), Image.MappedLength);
        Context = UserfaultfdHandshake.Open(Space, features).OrThrow("userfaultfd");
        Client = Pager.Attach(Context);
        Client.AddRegion(Area, Image, 0, RegionKind.PrivateImage);
        Pages = pages;
    }

    public RaceBed Bed { get; }

    public RaceStore Store { get; }

    public Pager Pager { get; }

    public PagedImage Image { get; }

    public PagerClient Client { get; }

    /// <summary>The client's context, which is the pager's.</summary>
    public IUserfaultfd Context { get; }

    public IAddressSpace Space { get; }

    public AddressRange Area { get; }

    public int Pages { get; }

    /// <summary>The processors of the client's threads, one for each.</summary>
    public IMemoryAccess[] Access { get; }

    /// <summary>The image mapped in this process; null before <see cref="MapHere"/>.</summary>
    public PagedMemory? Here { get; private set; }

    public void MapHere() => Here = Pager.Map(Image);

    public void Dispose()
    {
        Here?.Dispose();
        Pager.Dispose();
    }
}
