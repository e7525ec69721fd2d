using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Cli.Images;

/// <summary>
/// Makes an image with real content: files of this machine (the .NET runtime's first, then the system's libraries and programs), packed one after another. Each
/// starts on a 64 KiB boundary, so there are zero pages where files end.
/// </summary>
internal static class SampleImage
{
    private const int AlignmentBytes = 64 * 1024;

    public static void Create(string path, long lengthBytes, CancellationToken cancellation)
    {
        using FileStream image = File.Create(path, 1 << 20);
        image.SetLength(lengthBytes);
        byte[] buffer = new byte[1 << 20];
        long offset = 0;
        while (offset < lengthBytes)
        {
            long before = offset;
            foreach (string file in Sources())
            {
                cancellation.ThrowIfCancellationRequested();
                offset = Append(image, file, offset, lengthBytes, buffer);
                if (offset >= lengthBytes)
                {
                    return;
                }
            }

            if (offset == before)
            {
                throw new ToolException(ExitCode.Failed, "No file of this machine could be read to make the sample image from.");
            }
        }
    }

    /// <summary>The files, in the same order at every call; unreadable folders are passed over.</summary>
    private static IEnumerable<string> Sources()
    {
        string runtime = RuntimeEnvironment.GetRuntimeDirectory();
        string dotnet = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device,
        };
        foreach (string folder in new[] { runtime, dotnet, "/usr/lib", "/usr/bin" })
        {
            if (Directory.Exists(folder))
            {
                string[] files = Directory.GetFiles(folder, "*", options);
                Array.Sort(files, StringComparer.Ordinal);
                foreach (string file in files)
                {
                    yield return file;
                }
            }
        }
    }

    private static long Append(FileStream image, string source, long offset, long lengthBytes, byte[] buffer)
    {
        try
        {
            using var file = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            image.Position = offset;
            int read;
            while (offset < lengthBytes && (read = file.Read(buffer)) > 0)
            {
                int kept = (int)Math.Min(read, lengthBytes - offset);
                image.Write(buffer, 0, kept);
                offset += kept;
            }
        }
        catch (UnauthorizedAccessException)
        {
            return offset;
        }
        catch (IOException e) when (!IsDiskFull(e))
        {
            return offset;
        }

        return (offset + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
    }

    private static bool IsDiskFull(IOException e) => e.HResult == 28;
}
