using System.IO;
using System.IO.MemoryMappedFiles;

namespace Faultline.Cli.Clones;

/// <summary>A private mapping of the image file itself: <c>mmap(MAP_PRIVATE)</c>, and the kernel does the rest.</summary>
internal sealed class MappedFileCloneMemory : CloneMemory
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public MappedFileCloneMemory(IAddressSpace home, string image, long lengthBytes)
        : base(home)
    {
        var stream = new FileStream(image, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        const MemoryMappedFileAccess Access = MemoryMappedFileAccess.CopyOnWrite;
        _file = MemoryMappedFile.CreateFromFile(stream, mapName: null, capacity: 0, Access, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, lengthBytes, Access);
        Range = new AddressRange(new VirtualAddress((ulong)_view.SafeMemoryMappedViewHandle.DangerousGetHandle()), (ulong)lengthBytes);
    }

    public override void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
