namespace Faultline.Paging;

/// <summary>Who sees what is written to a mapping of an image.</summary>
public enum PagedMapping
{
    /// <summary>Only the mapping itself: a clone. Pages that are not written are shared by all clones.</summary>
    Private = 0,

    /// <summary>Every shared mapping of the image. The writes are stored if the store is an <see cref="IWritablePageStore"/>; see
    /// <see cref="PagedImage.Flush"/>.</summary>
    Shared = 1,
}
