namespace Faultline.Cli;

/// <summary>The exit codes of every command; docs/cli.md lists them.</summary>
internal static class ExitCode
{
    /// <summary>Everything was done, and verified if that was asked for.</summary>
    public const int Done = 0;

    /// <summary>The run failed: a page was wrong, a process died, or something could not be read or written on the way.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a file it names cannot be used.</summary>
    public const int BadInput = 2;

    /// <summary>This machine cannot do it; <c>faultline doctor</c> says why.</summary>
    public const int CannotRunHere = 3;

    /// <summary>Stopped by Ctrl-C (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>Stopped by SIGTERM (128 + SIGTERM).</summary>
    public const int Terminated = 143;
}
