using System;
using System.Diagnostics;
using System.IO;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>A file system of one MiB, to be filled. Only root can have one; for others the test is skipped.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("faultline-disk-");

    public SmallDisk()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Only root can mount a small file system to fill.");
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", Path) == 0, "mount(8) of a tmpfs is not allowed here.");
    }

    public string Path => _folder.FullName;

    public void Dispose()
    {
        Run("umount", Path);
        _folder.Delete(recursive: true);
    }

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        process.WaitForExit(TimeSpan.FromSeconds(20));
        return process.ExitCode;
    }
}
