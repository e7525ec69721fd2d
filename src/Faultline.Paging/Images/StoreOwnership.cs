namespace Faultline.Paging;

/// <summary>Who disposes a store.</summary>
public enum StoreOwnership
{
    /// <summary>The image, when it is disposed.</summary>
    Image = 0,

    /// <summary>The caller, after the image is disposed.</summary>
    Caller = 1,
}
