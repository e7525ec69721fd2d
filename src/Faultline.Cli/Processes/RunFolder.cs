using System;
using System.IO;

namespace Faultline.Cli.Processes;

/// <summary>
/// The folder of one run, readable by its owner only: the sockets, the checksums, and the sample image of quickstart. Whoever is left
/// removes it: the tool at the end of the run, or a child that finds the tool gone.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string Prefix = "faultline-";

    public RunFolder()
    {
        try
        {
            Path = Directory.CreateTempSubdirectory(Prefix).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Failed, $"No folder for the run can be made in {System.IO.Path.GetTempPath()}: {Sentence.Of(e)}", e);
        }
    }

    public string Path { get; }

    public static string SocketOf(string folder) => System.IO.Path.Combine(folder, "pages.sock");

    /// <summary>The socket of the rehearsal, see <see cref="Clones.Rehearsal"/>.</summary>
    public static string RehearsalSocketOf(string folder) => System.IO.Path.Combine(folder, "rehearsal.sock");

    public static string ChecksumsOf(string folder) => System.IO.Path.Combine(folder, "checksums");

    /// <summary>Removes a run's folder; anything that does not look like one is left alone.</summary>
    public static void Remove(string folder)
    {
        if (!System.IO.Path.GetFileName(folder).StartsWith(Prefix, StringComparison.Ordinal))
        {
            return;
        }

        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process of the run is removing it at the same time, or has done so.
        }
    }

    public void Dispose() => Remove(Path);
}
