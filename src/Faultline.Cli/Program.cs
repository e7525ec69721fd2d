using System.Threading.Tasks;
using Faultline.Cli.Commands;
using Faultline.Cli.Processes;

namespace Faultline.Cli;

internal static class Program
{
    private static Task<int> Main(string[] args) =>

        // The processes of a run are this program started again. They are told apart here, before anything of the command line is loaded.
        args is [ChildCommand.Name, ..] ? Task.FromResult(ChildCommand.Run(args)) : CommandTree.RunAsync(args);
}
