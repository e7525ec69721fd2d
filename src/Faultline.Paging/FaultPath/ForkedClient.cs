namespace Faultline.Paging;

/// <summary>A child that a FORK event told of, with the regions its parent had at that moment.</summary>
/// <param name="Parent">The client that forked.</param>
/// <param name="Context">The child's context.</param>
/// <param name="Regions">Copies of the parent's regions.</param>
internal readonly record struct ForkedClient(PagerClient Parent, IUserfaultfd Context, Region[] Regions);
