using System;
using Microsoft.Extensions.Logging;

namespace Faultline.Paging;

/// <summary>The messages; docs/observability.md lists them. Called through <see cref="PagerLog"/>.</summary>
internal static partial class PagerMessages
{
    /// <summary>Nothing, or how many of the same kind were left out before.</summary>
    private const string LeftOut = "{LeftOut}";

    [LoggerMessage(1, LogLevel.Information, "The pager '{Pager}' works on the engine '{Engine}' with {Handlers} threads.")]
    public static partial void PagerStarted(ILogger logger, string pager, string engine, int handlers);

    [LoggerMessage(
        2, LogLevel.Information, "The pager '{Pager}' works on the engine '{Engine}' with {Handlers} threads and a budget of {BudgetBytes} bytes.")]
    public static partial void PagerStartedWithBudget(ILogger logger, string pager, string engine, int handlers, ulong budgetBytes);

    [LoggerMessage(3, LogLevel.Information, "The pager '{Pager}' is closed.")]
    public static partial void PagerClosed(ILogger logger, string pager);

    [LoggerMessage(4, LogLevel.Information, "The image '{Image}' is open: {Bytes} bytes, from a {Store}.")]
    public static partial void ImageOpened(ILogger logger, string image, ulong bytes, string store);

    [LoggerMessage(5, LogLevel.Information, "The image '{Image}' is closed; {StoreBytes} bytes were read from its store.")]
    public static partial void ImageClosed(ILogger logger, string image, long storeBytes);

    [LoggerMessage(6, LogLevel.Information, "The client '{Client}' is served." + LeftOut, SkipEnabledCheck = true)]
    public static partial void ClientAttached(ILogger logger, string client, string leftOut);

    [LoggerMessage(7, LogLevel.Information, "The client '{Client}' is served no more: it was detached." + LeftOut, SkipEnabledCheck = true)]
    public static partial void ClientDetached(ILogger logger, string client, string leftOut);

    [LoggerMessage(8, LogLevel.Information, "The context of the client '{Client}' is lost: its address space is gone." + LeftOut, SkipEnabledCheck = true)]
    public static partial void ContextLost(ILogger logger, string client, string leftOut);

    [LoggerMessage(9, LogLevel.Error, "The forked client '{Client}' cannot be served: what it has not got becomes an error there.")]
    public static partial void ForkNotServed(ILogger logger, Exception cause, string client);

    [LoggerMessage(
        10,
        LogLevel.Warning,
        "Bytes 0x{Offset:x} to 0x{End:x} of the image '{Image}' could not be brought: {Cause}" + LeftOut,
        SkipEnabledCheck = true)]
    public static partial void LoadFailed(ILogger logger, Exception exception, ulong offset, ulong end, string image, string cause, string leftOut);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "Bytes 0x{Offset:x} to 0x{End:x} of the image '{Image}' were given up: its store did not answer within {Deadline}." + LeftOut,
        SkipEnabledCheck = true)]
    public static partial void LoadOverdue(ILogger logger, ulong offset, ulong end, string image, TimeSpan deadline, string leftOut);

    [LoggerMessage(
        12,
        LogLevel.Error,
        "The page at 0x{Address:x} of the client '{Client}' is an error now: byte 0x{Offset:x} of the image '{Image}' could not be brought." + LeftOut,
        SkipEnabledCheck = true)]
    public static partial void PageMadeError(ILogger logger, ulong address, string client, ulong offset, string image, string leftOut);

    [LoggerMessage(
        13,
        LogLevel.Error,
        "The fault at 0x{Address:x} of the client '{Client}' was tried again until its deadline, and is an error now: {Reason}." + LeftOut,
        SkipEnabledCheck = true)]
    public static partial void FaultGivenUp(ILogger logger, ulong address, string client, string reason, string leftOut);

    [LoggerMessage(
        14,
        LogLevel.Warning,
        "The budget of {BudgetBytes} bytes of the image '{Image}' is taken by pages that cannot leave; faults wait." + LeftOut,
        SkipEnabledCheck = true)]
    public static partial void NoRoom(ILogger logger, string image, long budgetBytes, string leftOut);

    [LoggerMessage(
        15,
        LogLevel.Error,
        "Bytes 0x{Offset:x} to 0x{End:x} of the image '{Image}' were written and could not be stored; they stay in memory: {Cause}" + LeftOut,
        SkipEnabledCheck = true)]
    public static partial void WriteFailed(ILogger logger, Exception exception, ulong offset, ulong end, string image, string cause, string leftOut);
}
