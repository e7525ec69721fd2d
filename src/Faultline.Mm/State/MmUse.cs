namespace Faultline.Mm;

/// <summary>One call's use of an address space; dispose it at the end of the call.</summary>
internal ref struct MmUse
{
    private MmState? _mm;

    /// <summary>Whether there is anything to use.</summary>
    public readonly bool IsHeld => _mm is not null;

    public static MmUse Begin(MmState mm) => new() { _mm = mm.TryUse() ? mm : null };

    public void Dispose()
    {
        _mm?.LeaveUse();
        _mm = null;
    }
}
