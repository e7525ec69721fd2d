using System;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>Stop 6: reads a client's messages, applies its events, and merges faults about the same page.</summary>
/// <remarks>
/// A thread that drops, moves or unmaps pages runs on as soon as its event has been read. If an install decided on before could follow, it
/// would bring back what was dropped. So where
/// a context has events, reading and applying them excludes installs in it: its lock is held for writing from before the read until every
/// event is applied.
/// </remarks>
internal static class FaultBatch
{
    /// <summary>Reads what there is and hands the faults to <paramref name="worker"/>.</summary>
    /// <returns>Whether there was anything.</returns>
    public static bool Read(PagerCore core, PagerClient client, FaultWorker worker)
    {
        if (client.HasEvents)
        {
            bool hadEvents;
            bool any;
            using (RankedSharedLock.WriteScope held = client.Guard.EnterWrite())
            {
                (any, hadEvents) = client.HasEnded ? (false, false) : Drain(core, client, worker);
            }

            foreach (ForkedClient fork in worker.Forks)
            {
                core.AttachFork(fork);
            }

            worker.Forks.Clear();
            if (hadEvents)
            {
                client.RegisterTables();
                core.Parking.TakeAllOf(client, worker);
            }

            return any;
        }

        using (RankedSharedLock.ReadScope held = client.Guard.EnterRead())
        {
            return !client.HasEnded && Drain(core, client, worker).Any;
        }
    }

    /// <summary>Reads until nothing is left. The client's lock is held; for writing if it has events.</summary>
    public static (bool Any, bool HadEvents) Drain(PagerCore core, PagerClient client, FaultWorker worker)
    {
        bool any = false;
        bool hadEvents = false;
        while (true)
        {
            SystemResult<int> read = client.Context.Read(worker.Messages);
            if (!read.IsOk || read.Value == 0)
            {
                // A fork whose child's descriptor finds no room stays queued, and the poller goes on reporting it.
                worker.MustPause |= read.Errno is Errno.EMFILE or Errno.ENFILE;
                return (any, hadEvents);
            }

            any = true;
            hadEvents |= Sort(core, client, worker, worker.Messages.AsSpan(0, read.Value));

            // A batch that did not fill the room was all there was; with events one more look is cheap, and they must all be applied before
            // the faults.
            if (read.Value < worker.Messages.Length && !hadEvents)
            {
                return (any, hadEvents);
            }
        }
    }

    private static bool Sort(PagerCore core, PagerClient client, FaultWorker worker, ReadOnlySpan<UserfaultfdMessage> messages)
    {
        bool hadEvents = false;
        long now = core.Now();
        long batch = core.NextBatch();
        for (int i = 0; i < messages.Length; i++)
        {
            ref readonly UserfaultfdMessage message = ref messages[i];
            if (message.Event != UserfaultfdEvent.PageFault)
            {
                hadEvents = true;
                client.Counters.Add(PagerCounter.Events);
                client.Apply(in message, worker);
                continue;
            }

            client.Counters.Add(message.Kind switch
            {
                PageFaultKind.Minor => PagerCounter.MinorFaults,
                PageFaultKind.WriteProtect => PagerCounter.WriteProtectFaults,
                _ => PagerCounter.MissingFaults,
            });
            if (IsRepeated(messages, i))
            {
                client.Counters.Add(PagerCounter.JoinedFaults);
                continue;
            }

            worker.Put(new PageFault
            {
                Client = client,
                Address = message.Address,
                Kind = message.Kind,
                IsWrite = message.IsWrite,
                ReadAt = now,
                Batch = batch,
            });
        }

        return hadEvents;
    }

    /// <summary>Whether an earlier message of the batch is about the same page and kind: resolving that one wakes both.</summary>
    private static bool IsRepeated(ReadOnlySpan<UserfaultfdMessage> messages, int index)
    {
        for (int i = 0; i < index; i++)
        {
            if (messages[i].Event == UserfaultfdEvent.PageFault
                && messages[i].Address.Page == messages[index].Address.Page
                && messages[i].Kind == messages[index].Kind)
            {
                return true;
            }
        }

        return false;
    }
}
