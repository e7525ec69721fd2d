namespace Faultline.PageServer;

/// <summary>The three messages of a handoff, in their order.</summary>
internal enum FrameKind : ushort
{
    /// <summary>Server, as soon as a client connects: the length of the image, and a descriptor of its memory file that cannot write.</summary>
    Welcome = 1,

    /// <summary>Client: its regions and its name, and the descriptor of its userfaultfd.</summary>
    Offer = 2,

    /// <summary>Server: nothing if the regions are served now, else one sentence.</summary>
    Answer = 3,
}
