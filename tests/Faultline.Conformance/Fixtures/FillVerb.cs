namespace Faultline.Conformance;

/// <summary>The calls that fill a range and report their progress.</summary>
public enum FillVerb
{
    /// <summary>UFFDIO_COPY.</summary>
    Copy,

    /// <summary>UFFDIO_ZEROPAGE.</summary>
    Zeropage,

    /// <summary>UFFDIO_CONTINUE.</summary>
    Continue,

    /// <summary>UFFDIO_POISON.</summary>
    Poison,

    /// <summary>UFFDIO_MOVE.</summary>
    Move,
}
