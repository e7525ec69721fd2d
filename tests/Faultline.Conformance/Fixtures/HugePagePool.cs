namespace Faultline.Conformance;

/// <summary>The pool of 2 MiB pages, of the machine or of the engine.</summary>
/// <param name="Total">The pages there are.</param>
/// <param name="Free">Pages nobody has.</param>
/// <param name="Reserved">Free pages that are promised to mappings and files.</param>
public readonly record struct HugePagePool(int Total, int Free, int Reserved)
{
    /// <summary>Pages that are neither used nor promised.</summary>
    public int Available => Free - Reserved;

    /// <summary>The pool after a change.</summary>
    public HugePagePool Plus(int free, int reserved) => this with { Free = Free + free, Reserved = Reserved + reserved };
}
