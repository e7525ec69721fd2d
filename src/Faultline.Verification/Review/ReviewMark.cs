namespace Faultline.Verification.Review;

/// <summary>One thing that one thread did, and what changed by it.</summary>
/// <param name="Thread">The thread.</param>
/// <param name="What">What it did.</param>
/// <param name="Subject">Null, or the lock or the state that changed.</param>
/// <param name="State">What it is from now on; empty for a lock that was let go.</param>
/// <param name="IsWrong">Whether it must not stay so.</param>
public readonly record struct ReviewMark(string Thread, string What, string? Subject = null, string State = "", bool IsWrong = false);
