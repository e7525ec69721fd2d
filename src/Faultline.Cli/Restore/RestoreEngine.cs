namespace Faultline.Cli.Restore;

/// <summary>What the main job runs on.</summary>
internal enum RestoreEngine
{
    /// <summary>The kernel's userfaultfd; clones are processes.</summary>
    Linux,

    /// <summary>The managed memory manager; clones are address spaces of one engine in this process.</summary>
    Managed,
}
