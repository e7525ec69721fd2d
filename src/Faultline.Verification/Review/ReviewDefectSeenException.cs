using System;

namespace Faultline.Verification.Review;

/// <summary>The check at the end of a schedule has seen something wrong.</summary>
internal sealed class ReviewDefectSeenException : Exception
{
    public ReviewDefectSeenException(string message)
        : base(message)
    {
    }
}
