using System.Collections.Generic;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Touches of pages: real faults, taken inside system calls.</summary>
internal static class PageWalk
{
    /// <summary>Reads a word of each page.</summary>
    public static void Touch(IMemoryEngine engine, PagedMemory memory, IReadOnlyList<int> pages)
    {
        using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        foreach (int page in pages)
        {
            AccessResult result = access.Load(memory.Range.Start + ((ulong)page * PageSize.Small), out _);
            if (!result.IsOk)
            {
                throw new BenchmarkException($"Page {page} could not be read: {result.Fault}.");
            }
        }
    }
}
