namespace Faultline.Mm;

/// <summary>
/// What the mappings know of the userfaultfd they are registered with (Linux: <c>vm_userfaultfd_ctx</c>): an identity, and the features that change what
/// the layers below userfaultfd do.
/// </summary>
internal abstract class UserfaultfdBinding
{
    /// <summary>The features enabled by the handshake; never change once a mapping can be registered.</summary>
    public UserfaultfdFeatures Features { get; protected set; }

    /// <summary>The address space was killed: whoever waits here on its behalf is to look.</summary>
    public abstract void OnKilled();

    public bool IsWriteProtectAsync => (Features & UserfaultfdFeatures.WriteProtectAsync) != 0;

    public bool MarksUnpopulated => (Features & UserfaultfdFeatures.WriteProtectUnpopulated) != 0;
}
