namespace Faultline.Sync;

/// <summary>Whether a sleeper looks for its wake for a while before it sleeps in the operating system.</summary>
public enum ParkerPatience
{
    /// <summary>For a few microseconds: for wakes that come soon, or whose waker waits for the sleeper.</summary>
    Brief = 0,

    /// <summary>Not at all: for a thread in the background, which would take the processor from those it works for.</summary>
    None = 1,
}
