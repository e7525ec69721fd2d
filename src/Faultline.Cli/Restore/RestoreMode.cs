namespace Faultline.Cli.Restore;

/// <summary>How the clones come by their pages.</summary>
internal enum RestoreMode
{
    /// <summary>Private mappings of one memory file, minor faults resolved by UFFDIO_CONTINUE: the main job.</summary>
    Continue,

    /// <summary>Anonymous memory, missing faults resolved by UFFDIO_COPY.</summary>
    Copy,

    /// <summary>Every clone reads the whole image into anonymous memory first.</summary>
    Eager,

    /// <summary><c>mmap(MAP_PRIVATE)</c> of the file: the kernel alone.</summary>
    Mmap,
}
