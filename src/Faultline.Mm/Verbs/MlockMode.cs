namespace Faultline.Mm;

/// <summary>What becomes of a range in <see cref="Mlock"/>.</summary>
internal enum MlockMode
{
    /// <summary>Its pages may be swapped out again.</summary>
    Unlock = 0,

    /// <summary>Its pages are brought, and stay.</summary>
    Populate,

    /// <summary>Its pages stay once they are there.</summary>
    OnFault,
}
