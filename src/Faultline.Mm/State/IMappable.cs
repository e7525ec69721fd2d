namespace Faultline.Mm;

/// <summary>
/// What a mapping of a file needs of the file (Linux: <c>vm_operations_struct</c> and <c>address_space</c>). The layers below the page cache see
/// files through this.
/// </summary>
internal interface IMappable
{
    /// <summary>The mappings of the file, for rmap.</summary>
    FileMappings Mappings { get; }

    /// <summary>The handle in <see cref="Frame.Owner"/> of the file's pages.</summary>
    ulong OwnerHandle { get; }

    /// <summary>The size in bytes. Lowered before the pages beyond it go.</summary>
    ulong Size { get; }

    /// <summary>A mapping has come into being: by mmap, split, fork or move.</summary>
    void OpenMapping(Vma vma);

    /// <summary>A mapping is gone.</summary>
    void CloseMapping(Vma vma);
}
