namespace Faultline.PageServer;

/// <summary>The four messages of a handoff, in their order.</summary>
internal enum FrameKind : ushort
{
    /// <summary>Client: its name.</summary>
    Hello = 1,

    /// <summary>Server: the length of the image, and a descriptor of its memory file that cannot write.</summary>
    Welcome = 2,

    /// <summary>Client: its regions, and the descriptor of its userfaultfd.</summary>
    Offer = 3,

    /// <summary>Server: nothing if the regions are served now, else one sentence.</summary>
    Answer = 4,
}
