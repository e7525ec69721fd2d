namespace Faultline.PageServer;

/// <summary>What memory a process maps a served image as.</summary>
public enum RemoteMapping
{
    /// <summary>A private mapping of the image's memory file: unwritten pages are shared with every other clone.</summary>
    Private = 0,

    /// <summary>Anonymous memory that each page is copied into: nothing is shared.</summary>
    Copied = 1,
}
