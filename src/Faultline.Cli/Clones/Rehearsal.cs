using System;
using System.Runtime.InteropServices;
using Faultline.Cli.Images;
using Faultline.Cli.Patterns;

namespace Faultline.Cli.Clones;

/// <summary>
/// A small image that every process of a run goes through the whole path with before it reports ready: what is measured afterwards is the work, not the
/// compilation of the code that does it.
/// </summary>
internal static class Rehearsal
{
    public const int Pages = 64;

    public static byte[] Image()
    {
        byte[] image = new byte[Pages * PageChecksum.PageBytes];
        var random = new SeededRandom(Pages);
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(image.AsSpan()))
        {
            word = random.Next();
        }

        return image;
    }

    public static ulong[] Checksums()
    {
        byte[] image = Image();
        ulong[] checksums = new ulong[Pages];
        for (int page = 0; page < Pages; page++)
        {
            checksums[page] = PageChecksum.Of(image.AsSpan(page * PageChecksum.PageBytes, PageChecksum.PageBytes));
        }

        return checksums;
    }
}
