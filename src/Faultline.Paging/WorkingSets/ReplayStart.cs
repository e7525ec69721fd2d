namespace Faultline.Paging;

/// <summary>When a <see cref="WorkingSetReplay"/> begins to read the store.</summary>
public enum ReplayStart
{
    /// <summary>At once.</summary>
    AtOnce,

    /// <summary>When the first client maps the image.</summary>
    WithTheFirstClient,
}
