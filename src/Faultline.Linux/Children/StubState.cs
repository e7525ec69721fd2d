namespace Faultline.Linux.Children;

/// <summary>Whose turn it is with a control block; the word is a futex.</summary>
internal static class StubState
{
    /// <summary>The client's turn; the stub looks at the word.</summary>
    internal const int Idle = 0;

    /// <summary>The client's turn; the stub sleeps on the word.</summary>
    internal const int StubSleeps = 1;

    /// <summary>The stub's turn; the client looks at the word.</summary>
    internal const int Posted = 2;

    /// <summary>The stub's turn; the client sleeps on the word.</summary>
    internal const int ClientSleeps = 3;

    /// <summary>The process is gone. Only the client side sets this.</summary>
    internal const int Ended = 4;
}
