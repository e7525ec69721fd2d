namespace Faultline.Paging;

/// <summary>Pages of an image that follow one another.</summary>
/// <param name="First">The first.</param>
/// <param name="Count">How many.</param>
internal readonly record struct PageRun(int First, int Count)
{
    public int End => First + Count;
}
