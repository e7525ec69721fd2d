namespace Faultline.Conformance;

/// <summary>Ranges that no call accepts.</summary>
public enum BadRange
{
    /// <summary>The start is not page aligned.</summary>
    UnalignedStart,

    /// <summary>The length is zero.</summary>
    Empty,

    /// <summary>The length is not page aligned.</summary>
    UnalignedLength,

    /// <summary>The end lies before the start.</summary>
    WrapsAround,

    /// <summary>The end lies beyond the user half of the addresses.</summary>
    BeyondTheTask,

    /// <summary>The start lies in the kernel half.</summary>
    InTheKernel,
}
