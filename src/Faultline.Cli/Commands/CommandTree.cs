using System;
using System.CommandLine;
using System.IO;
using System.Threading.Tasks;
using Faultline.Cli.Json;
using Faultline.Cli.Output;

namespace Faultline.Cli.Commands;

/// <summary>All commands, and the one place where errors become a sentence and an exit code.</summary>
internal static class CommandTree
{
    /// <summary>The option every command has: one JSON document on standard output, and nothing else there.</summary>
    public const string JsonOption = "--json";

    public static async Task<int> RunAsync(string[] args)
    {
        bool isJson = Array.IndexOf(args, JsonOption) >= 0;
        try
        {
            ParseResult parsed = Create().Parse(args);
            if (parsed.Errors.Count > 0)
            {
                throw ToolException.BadInput(parsed.Errors[0].Message.TrimEnd('.') + ". Try --help.");
            }

            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration).ConfigureAwait(false);
        }
        catch (ToolException e)
        {
            return Fail(e.Message, e.ExitCode, isJson);
        }
        catch (IOException e)
        {
            return Fail($"Something could not be read or written: {Sentence.Of(e)}", ExitCode.Failed, isJson);
        }
    }

    private static RootCommand Create() =>
        new("Lazy, shared memory on Linux userfaultfd: restores images into clones that share one page cache.")
        {
            QuickstartCommand.Create(),
            RestoreCommand.Create(),
            ImageCommand.Create(),
            DoctorCommand.Create(),
            BenchCommand.Create(),
            CheckCommand.Create(),
        };

    private static int Fail(string sentence, int exitCode, bool isJson)
    {
        Console.Error.WriteLine("faultline: " + sentence);
        if (isJson)
        {
            JsonOutput.Write(new ErrorDocument(sentence, exitCode), FaultlineJson.Default.ErrorDocument);
        }

        return exitCode;
    }
}
