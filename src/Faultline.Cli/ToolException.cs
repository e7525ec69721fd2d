using System;

namespace Faultline.Cli;

/// <summary>An error the user is told in one sentence, with the exit code that goes with it. Never a defect of the tool.</summary>
internal sealed class ToolException : Exception
{
    public ToolException(int exitCode, string sentence)
        : base(sentence) => ExitCode = exitCode;

    public ToolException(int exitCode, string sentence, Exception innerException)
        : base(sentence, innerException) => ExitCode = exitCode;

    /// <summary>One of <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode { get; }

    public static ToolException BadInput(string sentence) => new(Cli.ExitCode.BadInput, sentence);
}
