using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Faultline.Verification.Kernel;

/// <summary>A program: steps, and the words above them.</summary>
internal sealed record KernelProgram(IReadOnlyList<Step> Steps, string Comment = "")
{
    /// <summary>The program as a script that <see cref="Parse"/> reads.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        foreach (string line in Comment.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            text.Append("# ").Append(line.TrimEnd()).Append('\n');
        }

        foreach (Step step in Steps)
        {
            text.Append(step.ToString()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Reads a script: one step a line; empty lines and what follows a # are left out.</summary>
    /// <exception cref="FormatException">A line is not a step.</exception>
    public static KernelProgram Parse(string script)
    {
        var steps = new List<Step>();
        using var reader = new StringReader(script);
        while (reader.ReadLine() is { } line)
        {
            int comment = line.IndexOf('#', StringComparison.Ordinal);
            string step = (comment < 0 ? line : line[..comment]).Trim();
            if (step.Length > 0)
            {
                steps.Add(StepText.Parse(step));
            }
        }

        return new KernelProgram(steps);
    }
}
