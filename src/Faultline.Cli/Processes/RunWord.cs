namespace Faultline.Cli.Processes;

/// <summary>The words the tool sends its children after their job.</summary>
internal static class RunWord
{
    /// <summary>Begin: the clock of the run starts here.</summary>
    public const string Go = "go";

    /// <summary>All clones are done: say what you hold.</summary>
    public const string Measure = "measure";

    /// <summary>To the pager, followed by a blank and the process of the first clone: save its memory, and say what was saved.</summary>
    public const string Save = "save";

    /// <summary>End.</summary>
    public const string Finish = "finish";
}
