using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>
/// What the processor may still know of pages that are gone. MADV_DONTNEED and MADV_FREE empty the TLB when they end, not mapping by mapping (Linux 6.16
/// and later: <c>madvise_finish_tlb</c>). While one waits for its REMOVE event, loads and stores in what it has done with already may go by the old entries.
/// </summary>
internal static class StaleTranslations
{
    /// <summary>Whether a step goes through an address that a call under way may have discarded, its translation still being there.</summary>
    /// <param name="step">The step.</param>
    /// <param name="side">The kernel's side.</param>
    /// <param name="mappings">The mappings of the first address space.</param>
    public static bool MayServe(in Step step, EngineSide side, IReadOnlyList<VmaInfo> mappings)
    {
        bool usesPage = step.Verb is StepVerb.Load or StepVerb.Store or StepVerb.KernelRead or StepVerb.KernelWrite or StepVerb.RaceMove;
        bool usesOther = step.Verb is StepVerb.CopyFrom or StepVerb.RaceMove;
        int running = usesPage || usesOther ? side.Running : 0;
        for (int actor = 0; running >> actor != 0; actor++)
        {
            if ((running >> actor & 1) == 0 || side.StepOf(actor) is not { Verb: StepVerb.Advise } call || call.Space != step.Space
                || (Advice)call.Mode is not (Advice.DontNeed or Advice.DontNeedLocked or Advice.Free))
            {
                continue;
            }

            VirtualAddress end = EndOfDone(in call, mappings);
            AddressRange other = new(Arena.At(step.Other), step.Range.Length);
            if ((usesPage && Meets(step.Range, call.Range.Start, end)) || (usesOther && Meets(other, call.Range.Start, end)))
            {
                return true;
            }
        }

        return false;
    }

    // The call waits in a mapping that is watched, and has not touched that nor anything above: the last one in its range, at most.
    private static VirtualAddress EndOfDone(in Step call, IReadOnlyList<VmaInfo> mappings)
    {
        VirtualAddress end = call.Range.Start;
        foreach (VmaInfo mapping in mappings)
        {
            if (mapping.RegisteredModes != RegisterModes.None && mapping.Range.Start > end && mapping.Range.Start < call.Range.End)
            {
                end = mapping.Range.Start;
            }
        }

        return call.Space == 0 ? end : call.Range.End;
    }

    private static bool Meets(AddressRange range, VirtualAddress start, VirtualAddress end) => range.Start < end && start < range.End;
}
