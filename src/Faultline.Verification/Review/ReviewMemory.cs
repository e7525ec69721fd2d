namespace Faultline.Verification.Review;

/// <summary>What memory the area of a history is.</summary>
internal enum ReviewMemory
{
    /// <summary>Private anonymous memory: case 1.</summary>
    Anonymous,

    /// <summary>A private mapping of shmem: cases 2 and 3.</summary>
    PrivateFile,

    /// <summary>A shared mapping of shmem: cases 4 and 5.</summary>
    SharedFile,
}
