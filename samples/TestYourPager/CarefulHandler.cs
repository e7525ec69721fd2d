using System;
using System.Collections.Generic;
using Faultline;
using Faultline.Sync;
using Faultline.Verification.Pagers;

namespace TestYourPager;

/// <summary>The same handler with the three bugs mended. This is how the pager of <c>Faultline.Paging</c> works too.</summary>
public sealed class CarefulHandler : IHandler
{
    private readonly RankedSharedLock _guard = new(LockRank.PagerContext);
    private readonly IUserfaultfdPoller _poller;
    private readonly HashSet<VirtualAddress> _removed = [];
    private readonly RankedLock _dirtyLock = new(LockRank.PagerImage);
    private readonly HashSet<VirtualAddress> _dirty = [];

    private CarefulHandler(IUserfaultfd context, IUserfaultfdPoller poller)
    {
        Context = context;
        _poller = poller;
        poller.Add(context, tag: 0).OrThrow("epoll_ctl");
    }

    public IUserfaultfd Context { get; }

    public static IHandler Open(PagerBed bed, IAddressSpace space, UserfaultfdFeatures features)
    {
        ArgumentNullException.ThrowIfNull(bed);
        IUserfaultfd context = bed.Open(space, features, UserfaultfdOptions.NonBlocking);
        return new CarefulHandler(context, bed.Own(bed.Engine.CreatePoller()));
    }

    public void Serve()
    {
        long[] ready = new long[1];
        var messages = new UserfaultfdMessage[4];
        Queue<UserfaultfdMessage> faults = [];

        // With faults put aside, look again soon: nobody says when the event is over.
        while (_poller.Wait(ready, faults.Count == 0 ? -1 : 1).IsOk)
        {
            Read(messages, faults);
            for (int left = faults.Count; left > 0; left--)
            {
                UserfaultfdMessage fault = faults.Dequeue();
                if (!TryResolve(fault))
                {
                    faults.Enqueue(fault);
                }
            }
        }
    }

    public void Stop() => _poller.Stop();

    public bool IsDirty(VirtualAddress page) => _dirty.Contains(page);

    /// <summary>Reads and applies events with nobody between his look and his copy.</summary>
    private void Read(UserfaultfdMessage[] messages, Queue<UserfaultfdMessage> faults)
    {
        using RankedSharedLock.WriteScope held = _guard.EnterWrite();
        SystemResult<int> read = Context.Read(messages);
        foreach (UserfaultfdMessage message in messages.AsSpan(0, read.IsOk ? read.Value : 0))
        {
            if (message.Event == UserfaultfdEvent.Remove)
            {
                _removed.Add(message.Range.Start);
            }
            else
            {
                faults.Enqueue(message);
            }
        }
    }

    /// <summary>Resolves a fault, or says that it has to be tried again.</summary>
    private bool TryResolve(UserfaultfdMessage fault)
    {
        AddressRange page = new(fault.Address, PageSize.Small);
        using RankedSharedLock.ReadScope held = _guard.EnterRead();
        if (fault.Kind == PageFaultKind.WriteProtect)
        {
            using (RankedLock.Scope noting = _dirtyLock.Enter())
            {
                _dirty.Add(fault.Address);
            }

            return Context.WriteProtect(page, WriteProtectModes.None).Errno != Errno.EAGAIN;
        }

        // The page comes protected: there is no moment in which it can be written unseen.
        bool isTracked = (Context.Features & UserfaultfdFeatures.PageFaultFlagWriteProtect) != 0;
        byte[] bytes = PagerBed.Content(_removed.Contains(fault.Address) ? 0 : IHandler.Source);
        FillResult copied = Context.Copy(page.Start, bytes, isTracked ? FillModes.WriteProtect : FillModes.None);
        if (copied.Errno == Errno.EEXIST)
        {
            // Somebody else brought it, and may not have woken this thread.
            Context.Wake(page);
        }

        return copied.Errno != Errno.EAGAIN;
    }
}
