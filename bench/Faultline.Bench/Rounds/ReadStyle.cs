namespace Faultline.Bench;

/// <summary>How a handler waits for a message.</summary>
internal enum ReadStyle
{
    /// <summary>read(2) waits.</summary>
    Blocking = 0,

    /// <summary>epoll_wait(2) waits, read(2) does not.</summary>
    Polling = 1,
}
