namespace Faultline.Cli.Restore;

/// <summary>The words for the modes: on the command line and in JSON, and for people.</summary>
internal static class RestoreModeNames
{
    public static string Word(this RestoreMode mode) => mode switch
    {
        RestoreMode.Continue => "continue",
        RestoreMode.Copy => "copy",
        RestoreMode.Eager => "eager",
        _ => "mmap",
    };

    public static string Title(this RestoreMode mode) => mode switch
    {
        RestoreMode.Continue => "Faultline (minor faults, CONTINUE)",
        RestoreMode.Copy => "userfaultfd with COPY",
        RestoreMode.Eager => "reading the image eagerly",
        _ => "plain mmap(MAP_PRIVATE)",
    };

    /// <summary>Whether a pager process serves the clones.</summary>
    public static bool HasPager(this RestoreMode mode) => mode is RestoreMode.Continue or RestoreMode.Copy;
}
