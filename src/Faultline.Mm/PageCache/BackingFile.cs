using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>A file in memory: its size, its page cache, its mappings (Linux: an inode). What its pages are like, its kinds know.</summary>
/// <remarks>Lives as long as handles or mappings refer to it; then its pages go. <see cref="Lock"/> is for size against contents in calls.</remarks>
internal abstract class BackingFile : IMappable
{
    /// <summary>In bytes. Guard for changes: <see cref="Lock"/>.</summary>
    private ulong _size;

    private int _seals;

    /// <summary>Handles and mappings. Guard: atomic.</summary>
    private int _references = 1;

    protected BackingFile(MmSystem system, string name, ulong size)
    {
        System = system;
        Name = name;
        _size = size;
        Cache = new PageCache(system.Memory);
        OwnerHandle = system.Owners.Add(this);
    }

    public MmSystem System { get; }

    public string Name { get; }

    /// <summary>The pages, by index in pages of the file's kind.</summary>
    public PageCache Cache { get; }

    public FileMappings Mappings { get; } = new();

    public ulong OwnerHandle { get; }

    public abstract bool IsHugetlb { get; }

    /// <summary>What its pages take, in units of 512 bytes.</summary>
    public abstract ulong Blocks { get; }

    /// <summary>Calls that change size or contents, one at a time (Linux: <c>i_rwsem</c>).</summary>
    public RankedLock Lock { get; } = new(LockRank.MmFile);

    public ulong Size
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _size);
        }
    }

    /// <summary>Guard for changes: <see cref="Lock"/>.</summary>
    public FileSeals Seals
    {
        get => (FileSeals)Volatile.Read(ref _seals);
        set => Volatile.Write(ref _seals, (int)value);
    }

    /// <summary>Sets the size; the pages beyond are the caller's business. Under <see cref="Lock"/>.</summary>
    public void SetSize(ulong size)
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _size, size);
    }

    /// <summary>Cuts the file to a size, or makes it longer. Under <see cref="Lock"/>.</summary>
    public abstract void TruncateTo(ulong size);

    /// <summary>Makes a hole. Under <see cref="Lock"/>.</summary>
    public abstract void PunchHole(ulong start, ulong end);

    public void OpenMapping(Vma vma) => Interlocked.Increment(ref _references);

    public virtual void CloseMapping(Vma vma) => RemoveReference();

    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Drops a handle or mapping; with the last one go the pages.</summary>
    public void RemoveReference()
    {
        if (Interlocked.Decrement(ref _references) == 0 && !System.IsDisposed)
        {
            RemoveAllPages();
            System.Owners.Remove(OwnerHandle);
        }
    }

    public override string ToString() => Name;

    /// <summary>The end of the file: nobody refers to it any more.</summary>
    protected abstract void RemoveAllPages();
}
