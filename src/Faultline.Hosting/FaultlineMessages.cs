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
}
