using System;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Faultline.Paging;

/// <summary>
/// What a pager tells an operator. Never about single faults that go well; what a broken store or a full budget may cause in numbers passes a gate,
/// and the next message says how many were left out. No lock is held: the logger is other people's code.
/// </summary>
internal sealed class PagerLog(ILogger logger, TimeProvider time)
{
    private readonly LogGate _loads = new(time);
    private readonly LogGate _overdue = new(time);
    private readonly LogGate _errors = new(time);
    private readonly LogGate _givenUp = new(time);
    private readonly LogGate _room = new(time);
    private readonly LogGate _writes = new(time);
    private readonly LogGate _attached = new(time);
    private readonly LogGate _ended = new(time);

    public void PagerStarted(string pager, string engine, int handlers, ulong? budget)
    {
        if (budget is { } bytes)
        {
            PagerMessages.PagerStartedWithBudget(logger, pager, engine, handlers, bytes);
        }
        else
        {
            PagerMessages.PagerStarted(logger, pager, engine, handlers);
        }
    }

    public void PagerClosed(string pager) => PagerMessages.PagerClosed(logger, pager);

    public void ImageOpened(PagedImage image) => PagerMessages.ImageOpened(logger, image.Name, image.Length, image.Store.GetType().Name);

    public void ImageClosed(PagedImage image) => PagerMessages.ImageClosed(logger, image.Name, image.Table.StoreBytes);

    public void ClientAttached(PagerClient client)
    {
        if (IsWanted(LogLevel.Information, _attached, out string leftOut))
        {
            PagerMessages.ClientAttached(logger, client.Name, leftOut);
        }
    }

    public void ClientEnded(PagerClient client, ClientEnd end)
    {
        if (!IsWanted(LogLevel.Information, _ended, out string leftOut))
        {
            return;
        }

        if (end == ClientEnd.Exited)
        {
            PagerMessages.ContextLost(logger, client.Name, leftOut);
        }
        else
        {
            PagerMessages.ClientDetached(logger, client.Name, leftOut);
        }
    }

    public void ForkNotServed(string client, Exception cause) => PagerMessages.ForkNotServed(logger, cause, client);

    public void LoadFailed(string image, ulong offset, ulong length, Exception cause)
    {
        if (IsWanted(LogLevel.Warning, _loads, out string leftOut))
        {
            PagerMessages.LoadFailed(logger, cause, offset, offset + length, image, cause.Message, leftOut);
        }
    }

    public void LoadOverdue(string image, ulong offset, ulong length, TimeSpan deadline)
    {
        if (IsWanted(LogLevel.Warning, _overdue, out string leftOut))
        {
            PagerMessages.LoadOverdue(logger, offset, offset + length, image, deadline, leftOut);
        }
    }

    public void WriteFailed(string image, ulong offset, ulong length, Exception cause)
    {
        if (IsWanted(LogLevel.Error, _writes, out string leftOut))
        {
            PagerMessages.WriteFailed(logger, cause, offset, offset + length, image, cause.Message, leftOut);
        }
    }

    public void PageMadeError(string client, VirtualAddress address, string image, ulong offset)
    {
        if (IsWanted(LogLevel.Error, _errors, out string leftOut))
        {
            PagerMessages.PageMadeError(logger, address.Value, client, offset, image, leftOut);
        }
    }

    public void FaultGivenUp(string client, VirtualAddress address, string reason)
    {
        if (IsWanted(LogLevel.Error, _givenUp, out string leftOut))
        {
            PagerMessages.FaultGivenUp(logger, address.Value, client, reason, leftOut);
        }
    }

    public void NoRoom(string image, long budget)
    {
        if (IsWanted(LogLevel.Warning, _room, out string leftOut))
        {
            PagerMessages.NoRoom(logger, image, budget, leftOut);
        }
    }

    private bool IsWanted(LogLevel level, LogGate gate, out string leftOut)
    {
        leftOut = string.Empty;
        if (!logger.IsEnabled(level) || !gate.TryPass(out long count))
        {
            return false;
        }

        if (count != 0)
        {
            leftOut = string.Create(CultureInfo.InvariantCulture, $" ({count} more like it were left out.)");
        }

        return true;
    }
}
