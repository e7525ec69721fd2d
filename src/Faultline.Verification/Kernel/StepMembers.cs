namespace Faultline.Verification.Kernel;

/// <summary>Which members a verb uses.</summary>
internal static class StepMembers
{
    /// <summary>The step without what its verb does not use, so that scripts say nothing that does not matter.</summary>
    public static Step Clean(in Step step)
    {
        StepVerb verb = step.Verb;
        bool isFile = verb is StepVerb.MakeFile or StepVerb.Seal || verb is >= StepVerb.Truncate and <= StepVerb.FileRead;
        bool isMap = verb is StepVerb.Map or StepVerb.MapOver;
        bool hasFile = isFile || (isMap && ((MapKind)step.Mode).IsFile());
        bool hasContext = verb is (>= StepVerb.Open and <= StepVerb.ReadMessages) or StepVerb.Scan or StepVerb.RaceMove;
        bool hasRange = verb is not (StepVerb.Open or StepVerb.Close or StepVerb.ReadMessages or StepVerb.Fork or StepVerb.Exit or StepVerb.Interrupt
            or StepVerb.Seal);
        bool hasSpace = verb is (<= StepVerb.Open) or (>= StepVerb.Load and <= StepVerb.KernelWrite) or StepVerb.Scan;
        return step with
        {
            File = hasFile ? step.File : 0,
            Context = hasContext ? step.Context : 0,
            Space = hasSpace ? step.Space : 0,
            Actor = isFile || verb is StepVerb.Open or StepVerb.Close or StepVerb.Scan or StepVerb.Exit ? 0 : step.Actor,
            Page = hasRange ? step.Page : 0,
            Pages = hasRange ? step.Pages : 0,
            Skew = hasRange ? step.Skew : 0,
            Tail = hasRange ? step.Tail : 0,
        };
    }
}
