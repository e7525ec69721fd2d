using System;
using Microsoft.Extensions.Logging;

namespace Faultline.Hosting;

/// <summary>The messages of the host; those of the pager are its own.</summary>
internal static partial class FaultlineMessages
{
    public const string Category = "Faultline.Hosting";

    [LoggerMessage(1, LogLevel.Warning, "{Uses} uses of images had not ended {Deadline} after the host stopped; what they read from now on fails.")]
    public static partial void StillUsed(ILogger logger, int uses, TimeSpan deadline);

    [LoggerMessage(2, LogLevel.Warning, "The client '{Client}' did not have all its pages within {Deadline}; those it has not got become errors there.")]
    public static partial void NotCompleted(ILogger logger, string client, TimeSpan deadline);

    [LoggerMessage(3, LogLevel.Warning, "The working set '{Path}' of the image '{Image}' is not replayed: {Cause} Pages come on demand.")]
    public static partial void NotReplayed(ILogger logger, string path, string image, string cause);

    [LoggerMessage(4, LogLevel.Warning, "The working set '{Path}' of the image '{Image}' could not be written: {Cause}")]
    public static partial void NotRecorded(ILogger logger, string path, string image, string cause);

    [LoggerMessage(5, LogLevel.Error, "What was written to the image '{Image}' could not all be stored at the end: {Cause}")]
    public static partial void NotStored(ILogger logger, Exception exception, string image, string cause);
}
