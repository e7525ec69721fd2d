using System;
using Faultline.Paging;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Pagers;

namespace Faultline.Verification.Races;

/// <summary>A pager with one image, and one client that maps it.</summary>
internal sealed class PagerScene : IDisposable
{
    private const int Accesses = 3;

    public PagerScene(RaceBed bed, PagerOptions options, UserfaultfdFeatures features, RaceStore store, Troubles? troubles)
    {
        Bed = bed;
        Store = store;
        Space = bed.NewSpace();
        Access = new IMemoryAccess[Accesses];
        for (int i = 0; i < Accesses; i++)
        {
            Access[i] = bed.Access(Space);
        }

        IMemoryEngine engine = troubles is null ? bed.Engine : new TroubledEngine(bed.Engine);
        Pager = new Pager(engine, options);
        Image = Pager.OpenImage(store);
        var request = MapRequest.PrivateFile(Image.File, Image.MappedLength);
        Area = new AddressRange(Space.Map(in request).OrThrow("mmap"), Image.MappedLength);
        IUserfaultfd context = UserfaultfdHandshake.Open(Space, features).OrThrow("userfaultfd");
        Context = troubles is null ? context : new TroubledUserfaultfd(context, troubles, (name, body) => Seam.Start(name, body));
        Client = Pager.Attach(Context);
        Client.AddRegion(Area, Image, 0, RegionKind.PrivateImage);
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
