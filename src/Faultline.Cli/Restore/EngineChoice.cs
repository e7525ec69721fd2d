using System.Linq;
using Faultline.Linux;

namespace Faultline.Cli.Restore;

/// <summary>Which engine the main job runs on, and what there is to say about that.</summary>
/// <param name="Engine">The engine.</param>
/// <param name="Note">Null, or one sentence for the user.</param>
internal sealed record EngineChoice(RestoreEngine Engine, string? Note)
{
    /// <summary>Why a plain mapping of a file cannot be compared with on the managed engine.</summary>
    public const string NoMmap = "The managed engine maps files of its own only: mmap of an image file is the kernel's.";

    /// <summary>The one asked for; where none was, the kernel's if userfaultfd can be had, else the managed one.</summary>
    /// <exception cref="ToolException">The word is unknown, or this machine cannot do what was asked for.</exception>
    public static EngineChoice Make(string? word) => word switch
    {
        null => Missing() is { } reason
            ? new(RestoreEngine.Managed, $"On the managed engine, in one process, because the kernel's cannot be used: {reason}")
            : new(RestoreEngine.Linux, null),
        "linux" => Missing() is { } reason
            ? throw new ToolException(
                ExitCode.CannotRunHere, $"{reason} `faultline doctor` shows everything that was looked at; --engine managed needs none of it.")
            : new(RestoreEngine.Linux, null),
        "managed" => new(RestoreEngine.Managed, "On the managed engine: clones are address spaces of this process."),
        _ => throw ToolException.BadInput($"--engine must be linux or managed, not '{word}'."),
    };

    /// <summary>Null if the kernel's userfaultfd can do the main job, else one sentence.</summary>
    private static string? Missing()
    {
        var probe = KernelProbe.Run();
        return probe.CanRunMainJob ? null
            : probe.Capabilities.KernelFaults is { IsAvailable: false } missing ? missing.Reason
            : probe.Findings.First(static finding => finding.IsRequired && !finding.IsOk).Advice;
    }
}
