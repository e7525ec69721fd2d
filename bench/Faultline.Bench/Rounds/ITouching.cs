namespace Faultline.Bench;

/// <summary>A thread that touches pages.</summary>
internal interface ITouching
{
    /// <summary>Starts it. Call it once.</summary>
    void Start();

    /// <summary>Waits for it and returns the nanoseconds from before the first page to after the last. Call it once.</summary>
    long Finish();
}
