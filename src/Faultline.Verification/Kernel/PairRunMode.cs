namespace Faultline.Verification.Kernel;

/// <summary>How much a run takes for granted. The steps done, and what they answer, are the same either way.</summary>
internal enum PairRunMode
{
    /// <summary>
    /// Nothing: address spaces are new, and each step that may sleep has a thread of its own, so that whichever engine sleeps, the other is still looked at.
    /// </summary>
    Careful,

    /// <summary>
    /// The kernel's address space may be one that was emptied, and a step has a thread of its own only if it can sleep by what the engines agreed on so far.
    /// </summary>
    Quick,
}
