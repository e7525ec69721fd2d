using System.Collections.Generic;

namespace Faultline.Mm;

/// <summary>
/// The events of one call: begun while the call changes the mappings, told after it has let go of its locks, one after the other
/// (Linux: <c>userfaultfd_unmap_prep</c>, <c>userfaultfd_unmap_complete</c>, <c>mremap_userfaultfd_complete</c>).
/// </summary>
internal sealed class EventList
{
    private List<PendingEvent>? _events;

    /// <summary>Begins an UNMAP event for the userfaultfd of a mapping, once for each and range.</summary>
    public void BeginUnmap(Vma vma, ulong start, ulong end)
    {
        if (vma.Userfaultfd is not UserfaultfdContext context || (context.Features & UserfaultfdFeatures.EventUnmap) == 0)
        {
            return;
        }

        foreach (PendingEvent begun in _events ?? [])
        {
            if (begun.Context == context && begun.Kind == UserfaultfdEvent.Unmap && begun.Start == start && begun.Length == end - start)
            {
                return;
            }
        }

        Begin(new PendingEvent(context, UserfaultfdEvent.Unmap, start, end - start));
    }

    /// <summary>How many have begun.</summary>
    public int Count => _events?.Count ?? 0;

    /// <summary>Begins an event.</summary>
    public void Begin(PendingEvent happening) => Begin(happening, Count);

    /// <summary>Begins an event that is told before those that began after the first <paramref name="at"/>.</summary>
    public void Begin(PendingEvent happening, int at)
    {
        happening.Context.BeginChange();
        (_events ??= []).Insert(at, happening);
    }

    /// <summary>Tells all of them, waiting for each to be read. No lock may be held.</summary>
    public void TellAll()
    {
        foreach (PendingEvent happening in _events ?? [])
        {
            happening.Context.Tell(happening);
            if (happening.Forked is { } forked && !happening.IsRead)
            {
                // Nobody has taken the child's context: it goes, and the child's mappings with it are no longer registered.
                UserfaultfdRegister.Abandon(forked);
            }
        }

        _events = null;
    }

    /// <summary>Ends the move that was begun and did not happen; the other events stay.</summary>
    public void CancelRemaps()
    {
        for (int i = (_events?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (_events![i].Kind == UserfaultfdEvent.Remap)
            {
                _events[i].Context.EndChange();
                _events.RemoveAt(i);
            }
        }
    }

    /// <summary>Ends what was begun without telling anybody: the call failed.</summary>
    public void Cancel()
    {
        foreach (PendingEvent happening in _events ?? [])
        {
            happening.Context.EndChange();
            if (happening.Forked is { } forked)
            {
                UserfaultfdRegister.Release(forked);
            }
        }

        _events = null;
    }
}
