namespace Faultline.Verification.Review;

/// <summary>How the order of the install step is broken.</summary>
internal enum InstallOrder
{
    /// <summary>The kind of page is read for the counter before rmap has made the page what it is: D3.</summary>
    CounterBeforeRmap,

    /// <summary>The size of the file is compared before the lock of the table is taken: D12.</summary>
    SizeBeforeLock,
}
