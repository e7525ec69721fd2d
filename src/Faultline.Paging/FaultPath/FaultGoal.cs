namespace Faultline.Paging;

/// <summary>What is to be done about a fault.</summary>
internal enum FaultGoal
{
    /// <summary>Bring the page, and install it.</summary>
    Resolve = 0,

    /// <summary>The page could not be brought: make it an error.</summary>
    Poison,

    /// <summary>The page has been copied to the client: only wake, in case the thread went to sleep after the copy was under way.</summary>
    Wake,

    /// <summary>The address space was changing: put the fault aside until it has settled.</summary>
    Settle,

    /// <summary>There was no room for the page: put the fault aside, and make it an error when its time is up.</summary>
    Room,
}
