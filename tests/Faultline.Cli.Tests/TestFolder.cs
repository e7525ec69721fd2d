using System;
using System.IO;

namespace Faultline.Cli.Tests;

/// <summary>A folder of one test, removed with everything in it.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder() => Path = Directory.CreateTempSubdirectory("cli-test-").FullName;

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes an image with real variety: two thirds of it random, one third zero pages, page by page.</summary>
    public string Image(int pages, int seed = 1)
    {
        string path = File("image.img");
        var random = new Random(seed);
        byte[] page = new byte[4096];
        using FileStream stream = System.IO.File.Create(path);
        for (int i = 0; i < pages; i++)
        {
            if (i % 3 == 2)
            {
                Array.Clear(page);
            }
            else
            {
                random.NextBytes(page);
            }

            stream.Write(page);
        }

        return path;
    }

    /// <summary>Makes an image of zeroes without taking space for them.</summary>
    public string EmptyImage(long bytes)
    {
        string path = File("zero.img");
        using FileStream stream = System.IO.File.Create(path);
        stream.SetLength(bytes);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
