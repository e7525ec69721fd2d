namespace Faultline.Verification.Kernel;

/// <summary>The kinds of answers to a step.</summary>
internal enum OutcomeKind
{
    /// <summary>An object that the step names does not exist.</summary>
    Absent = 0,

    /// <summary>The actor still sleeps in an earlier step.</summary>
    Busy,

    /// <summary>The step sleeps: in a userfault, or until an event is read.</summary>
    Asleep,
    Call,
    Access,

    /// <summary>The step threw, which none should; the text says what.</summary>
    Threw,
}
