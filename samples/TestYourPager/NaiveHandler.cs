using System.Collections.Generic;
using Faultline;
using Faultline.Sync;
using Faultline.Verification.Pagers;

namespace TestYourPager;

/// <summary>The handler everybody writes first. It works when it is tried, and has the three bugs everybody makes.</summary>
public sealed class NaiveHandler(IUserfaultfd context) : IHandler
{
    private readonly RankedLock _lock = new(LockRank.PagerContext);
    private readonly HashSet<VirtualAddress> _removed = [];
    private readonly HashSet<VirtualAddress> _dirty = [];

    public IUserfaultfd Context { get; } = context;

    public static IHandler Open(PagerBed bed, IAddressSpace space, UserfaultfdFeatures features) => new NaiveHandler(bed.Open(space, features));

    public void Serve()
    {
        var messages = new UserfaultfdMessage[1];
        while (Context.Read(messages).IsOk)
        {
            UserfaultfdMessage message = messages[0];
            if (message.Event == UserfaultfdEvent.Remove)
            {
                Forget(message.Range.Start);
            }
            else if (message.Kind == PageFaultKind.WriteProtect)
            {
                Note(message.Address);
            }
            else
            {
                Bring(message.Address);
            }
        }
    }

    public void Stop() => Context.Dispose();

    public bool IsDirty(VirtualAddress page) => _dirty.Contains(page);

    private void Bring(VirtualAddress page)
    {
        // Bug: between this look and the copy another thread may read a REMOVE event; the copy then brings back what was thrown away.
        byte[] bytes = PagerBed.Content(IsRemoved(page) ? 0 : IHandler.Source);

        // Bug: EAGAIN, as long as an event is on its way. Nobody comes back to this fault, and its thread sleeps for ever.
        Context.Copy(page, bytes);
        if ((Context.Features & UserfaultfdFeatures.PageFaultFlagWriteProtect) != 0)
        {
            // Bug: the copy has woken the client. What it writes before this line is not seen.
            Context.WriteProtect(PageAt(page), WriteProtectModes.Protect);
        }
    }

    private void Note(VirtualAddress page)
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            _dirty.Add(page);
        }

        Context.WriteProtect(PageAt(page), WriteProtectModes.None);
    }

    private void Forget(VirtualAddress page)
    {
        using RankedLock.Scope held = _lock.Enter();
        _removed.Add(page);
    }

    private bool IsRemoved(VirtualAddress page)
    {
        using RankedLock.Scope held = _lock.Enter();
        return _removed.Contains(page);
    }

    private static AddressRange PageAt(VirtualAddress page) => new(page, PageSize.Small);
}
