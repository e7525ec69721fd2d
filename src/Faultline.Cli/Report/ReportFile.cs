using System;
using System.IO;

namespace Faultline.Cli.Report;

/// <summary>The file a report is written to.</summary>
internal static class ReportFile
{
    /// <summary>Checks before a long run that the report can be written at its end; leaves an existing report as it is.</summary>
    /// <exception cref="ToolException">It cannot.</exception>
    public static void CheckWritable(string path, string what = "report")
    {
        try
        {
            bool existed = File.Exists(path);
            using (new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write))
            {
            }

            if (!existed)
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = e is DirectoryNotFoundException ? "its folder does not exist." : Sentence.Of(e);
            throw ToolException.BadInput($"The {what} {path} cannot be written: {reason}");
        }
    }

    public static void Write(string path, string html)
    {
        try
        {
            File.WriteAllText(path, html);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Failed, $"The report {path} cannot be written: {Sentence.Of(e)}", e);
        }
    }
}
