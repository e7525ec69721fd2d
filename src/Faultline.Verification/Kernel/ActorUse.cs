namespace Faultline.Verification.Kernel;

/// <summary>When a step that may sleep gets a thread of its own.</summary>
internal enum ActorUse
{
    /// <summary>Always: whichever engine sleeps, the other one is still looked at.</summary>
    Always,

    /// <summary>Only if it can sleep by what the engines have agreed on so far.</summary>
    WhenNeeded,
}
