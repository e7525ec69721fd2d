namespace Faultline.Mm;

/// <summary>Against what a page is taken from the pool.</summary>
internal enum HugetlbTake
{
    /// <summary>A reservation if there is one, else what is left over.</summary>
    Reserved,

    /// <summary>What is left over: the reservation was used for the page that is to be copied.</summary>
    LeftOver,
}
