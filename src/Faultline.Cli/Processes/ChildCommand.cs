using System;
using System.Runtime.InteropServices;

namespace Faultline.Cli.Processes;

/// <summary>The hidden commands <c>internal pager</c> and <c>internal clone</c>: one process of a run each.</summary>
internal static class ChildCommand
{
    public const string Name = "internal";
    public const string Pager = "pager";
    public const string Clone = "clone";

    public static int Run(string[] args)
    {
        // Ctrl-C reaches every process of the terminal. Only the tool decides what it means; its children end when it tells them or is gone.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static context => context.Cancel = true);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, static context => context.Cancel = true);
        var link = new ParentLink();
        try
        {
            return args switch
            {
                [_, Pager] => PagerProcess.Run(link),
                [_, Clone] => CloneProcess.Run(link),
                _ => Misused(),
            };
        }
        catch (ToolException e)
        {
            link.Send(new ChildMessage { Failure = e.Message });
            return e.ExitCode;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A process of a run has no user to show a stack trace to; the tool prints this sentence and fails the run.
            link.Send(new ChildMessage { Failure = $"{e.GetType().Name}: {Sentence.OneLine(e.Message)}" });
            return ExitCode.Failed;
        }
    }

    private static int Misused()
    {
        Console.Error.WriteLine("faultline: 'internal' is how the tool starts its own processes; it is of no use by hand.");
        return ExitCode.BadInput;
    }
}
