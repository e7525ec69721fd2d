using System;
using Spectre.Console;

namespace Faultline.Cli.Output;

/// <summary>The console for people: the terminal as it is, or plain text that is wide enough for a table.</summary>
internal static class PlainConsole
{
    /// <summary>Wide enough that nothing is ever wrapped: who reads the output by program wants whole lines.</summary>
    private const int PipedWidth = 1000;

    public static IAnsiConsole Create()
    {
        if (!Console.IsOutputRedirected)
        {
            return AnsiConsole.Console;
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = PipedWidth;
        return console;
    }
}
