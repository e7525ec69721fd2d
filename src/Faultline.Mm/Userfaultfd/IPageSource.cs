namespace Faultline.Mm;

/// <summary>Where the bytes of one new page come from.</summary>
internal interface IPageSource
{
    /// <summary>Writes the bytes of a page without waiting for anything.</summary>
    /// <returns>Whether they were at hand; if not, they are fetched without locks.</returns>
    unsafe bool TryFill(byte* page);
}
