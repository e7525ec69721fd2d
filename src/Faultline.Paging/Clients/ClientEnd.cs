namespace Faultline.Paging;

/// <summary>Why a client ended.</summary>
public enum ClientEnd
{
    /// <summary>It was detached, or the pager was disposed.</summary>
    Detached = 0,

    /// <summary>Its address space is gone (the process exited or executed another program).</summary>
    Exited = 1,
}
