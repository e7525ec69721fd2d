using System.CommandLine;

namespace Faultline.Cli.Commands;

/// <summary><c>faultline check</c>: the proof; see docs/testing.md.</summary>
internal static class CheckCommand
{
    public static Command Create() => new("check", "Checks the managed engine: against the running kernel, and against itself.")
    {
        CheckKernelCommand.Create(),
        CheckRacesCommand.Create(),
        CheckReviewCommand.Create(),
    };
}
