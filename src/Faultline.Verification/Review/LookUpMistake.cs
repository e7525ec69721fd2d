namespace Faultline.Verification.Review;

/// <summary>How CONTINUE can look for its page in the wrong way.</summary>
internal enum LookUpMistake
{
    /// <summary>A page that is not up to date is none, although the fault path reports it: D6.</summary>
    RefusesPagesNotUpToDate,

    /// <summary>A hole gets a page of zeroes: D7.</summary>
    Allocates,

    /// <summary>What the cache holds is a page, whatever it is: D8.</summary>
    TakesSwapEntries,
}
