namespace Faultline.Paging;

/// <summary>How a touched page was found.</summary>
internal enum TouchOutcome
{
    /// <summary>In the cache, brought for someone who wanted it.</summary>
    Cached = 0,

    /// <summary>Brought, or being brought, by a guess.</summary>
    Guessed,

    /// <summary>Not there: it is loaded for this touch.</summary>
    Loaded,
}
