using System.Collections.Generic;

namespace Faultline.Verification.Review;

/// <summary>What the threads of one schedule did, in the order they did it. Only one of them runs at a time.</summary>
internal sealed class ReviewMarks
{
    /// <summary>The thread that resolves faults.</summary>
    public const string Handler = "handler";

    /// <summary>Before the threads begin.</summary>
    public const string SettingUp = "setting up";

    /// <summary>The lock that matters.</summary>
    public const string TableLock = "lock of the page table";

    /// <summary>The entry that matters.</summary>
    public const string Entry = "entry of the page";

    private readonly List<ReviewMark> _marks = [];

    public IReadOnlyList<ReviewMark> All => _marks;

    public void Add(string thread, string what) => _marks.Add(new(thread, what));

    public void Add(string thread, string what, string subject, string state, bool isWrong = false) =>
        _marks.Add(new(thread, what, subject, state, isWrong));
}
