using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Faultline.Linux.Tests.AbiProof;

/// <summary>The machine's C compiler, as an oracle.</summary>
internal static class CCompiler
{
    private const int DeadlineMs = 60_000;

    /// <summary>The first compiler that runs, or null.</summary>
    internal static string? Find()
    {
        foreach (string name in (string[])["gcc", "cc", "clang"])
        {
            if (Run(name, ["--version"], string.Empty).ExitCode == 0)
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>The names of the macros that a program's headers define.</summary>
    internal static HashSet<string> Macros(string compiler, string program)
    {
        (int exitCode, string output, string errors) = Run(compiler, ["-x", "c", "-E", "-dM", "-"], program);
        if (exitCode != 0)
        {
            throw new InvalidOperationException(errors);
        }

        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (string line in output.Split('\n'))
        {
            string[] words = line.Split([' ', '('], 3);
            if (words.Length >= 2)
            {
                _ = names.Add(words[1]);
            }
        }

        return names;
    }

    /// <summary>The compiler's complaints about a program; empty if it accepts it.</summary>
    internal static string Complaints(string compiler, string program)
    {
        (int exitCode, _, string errors) = Run(compiler, ["-x", "c", "-std=gnu11", "-fsyntax-only", "-"], program);
        return exitCode == 0 ? string.Empty : errors;
    }

    private static (int ExitCode, string Output, string Errors) Run(string name, string[] arguments, string input)
    {
        ProcessStartInfo start = new(name, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (Win32Exception)
        {
            return (-1, string.Empty, $"{name} is not installed");
        }

        using (process)
        {
            string errors = string.Empty;
            Thread drain = new(() => errors = process!.StandardError.ReadToEnd());
            Thread feed = new(() =>
            {
                using StreamWriter writer = process!.StandardInput;
                writer.Write(input);
            });
            drain.Start();
            feed.Start();
            string output = process!.StandardOutput.ReadToEnd();
            if (!process.WaitForExit(DeadlineMs))
            {
                process.Kill();
                return (-1, string.Empty, $"{name} did not end in time");
            }

            drain.Join();
            feed.Join();
            return (process.ExitCode, output, errors);
        }
    }
}
