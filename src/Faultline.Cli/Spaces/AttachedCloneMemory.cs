using Faultline.Cli.Clones;
using Faultline.Paging;

namespace Faultline.Cli.Spaces;

/// <summary>Memory of another address space of this program, whose pages a pager of this program brings.</summary>
internal sealed class AttachedCloneMemory : CloneMemory
{
    private readonly PagerClient _client;

    public AttachedCloneMemory(IAddressSpace space, Pager pager, PagedImage image, string name, RegionKind kind)
        : base(space)
    {
        bool isCopied = kind == RegionKind.Copied;
        UserfaultfdFeatures required = isCopied ? UserfaultfdFeatures.None : UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem;
        MapRequest request = isCopied ? MapRequest.PrivateAnonymous(image.MappedLength) : MapRequest.PrivateFile(image.File, image.MappedLength);
        Range = new AddressRange(space.Map(in request).OrThrow("mmap"), image.MappedLength);
        IUserfaultfd context = UserfaultfdHandshake.Open(space, required, UserfaultfdFeatures.Poison).OrThrow("userfaultfd");
        _client = pager.Attach(context, name);
        _client.AddRegion(Range, image, 0, kind);
    }

    /// <summary>The pager's side of it.</summary>
    public PagerClient Client => _client;

    public override void Dispose()
    {
        // Nobody waits in it any more, and there is nothing left to make errors of.
        Space.Unmap(Range);
        _client.Dispose();
    }
}
