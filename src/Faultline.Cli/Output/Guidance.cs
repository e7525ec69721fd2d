using System.Collections.Generic;
using Faultline.Cli.Json;

namespace Faultline.Cli.Output;

/// <summary>When to use which way: the same sentences on the terminal and in the report.</summary>
internal static class Guidance
{
    public static IEnumerable<string> Sentences(CompareDocument compare)
    {
        yield return "Faultline: the image is remote, compressed or made on demand; or memory needs a budget; or pages are counted, recorded or migrated.";
        if (compare.Mmap is not null)
        {
            yield return "Plain mmap(MAP_PRIVATE): the image is an uncompressed local file and the kernel's policy will do. Its clones share pages too.";
        }

        if (compare.Copy is not null)
        {
            yield return "COPY: the memory cannot be a mapping of a memory file. Every clone then has its own copy of each page.";
        }

        if (compare.Eager is not null)
        {
            yield return "Reading eagerly: the whole image is needed at once by a single process, and the start may wait for it.";
        }
    }
}
