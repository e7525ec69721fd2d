using Faultline.Linux;
using Faultline.PageServer;

namespace Faultline.Cli.Clones;

/// <summary>Memory whose pages the pager process brings: a private mapping of its memory file, or anonymous memory it copies into.</summary>
internal sealed class PagedCloneMemory : CloneMemory
{
    private readonly RemoteImage _image;

    public PagedCloneMemory(LinuxEngine engine, string socket, string name, RemoteMapping mapping)
        : base(engine.Home)
    {
        _image = RemoteImage.Connect(engine, socket, name, mapping);
        Range = _image.Range;
    }

    public override string? Loss => _image.IsLost ? "the pager is gone, and the pages it had not brought yet were made errors" : null;

    public override void Dispose() => _image.Dispose();
}
