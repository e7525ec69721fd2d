using System;

namespace Faultline.Paging;

/// <summary>Begins to track writes.</summary>
public static class DirtyTracker
{
    /// <summary>Protects a range against writes and notes every write from now on.</summary>
    /// <param name="engine">The engine of the address space.</param>
    /// <param name="space">Whose memory it is.</param>
    /// <param name="range">
    /// What to track: mapped, aligned to pages (2 MiB on hugetlb), of anonymous, shmem or hugetlb memory, shared or private, and not registered
    /// with a userfaultfd. Memory that a pager serves is tracked by the other overload.
    /// </param>
    /// <param name="kind">How.</param>
    /// <returns>The tracker. Disposing it ends the protection.</returns>
    /// <exception cref="MemoryEngineException">
    /// EPERM (no right to a userfaultfd), EINVAL (the kernel lacks the feature, or the memory is of another kind), EBUSY (registered with another
    /// userfaultfd), ENOMEM.
    /// </exception>
    public static IDirtyTracker Start(IMemoryEngine engine, IAddressSpace space, AddressRange range, DirtyTracking kind = DirtyTracking.Asynchronous)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(space);
        if (kind == DirtyTracking.Synchronous)
        {
            return new SynchronousDirtyTracker(OwnWatch.Open(engine, space, range));
        }

        IUserfaultfd context = OwnWatch.Register(space, range, UserfaultfdFeatures.WriteProtectAsync, out ulong pageBytes);
        return new AsynchronousDirtyTracker(space, context, context, range, pageBytes);
    }

    /// <summary>
    /// Protects a region that a pager serves against writes, through the pager's own context, and notes every write from now on. It is asynchronous if the
    /// context was opened with <see cref="UserfaultfdFeatures.WriteProtectAsync"/>, and synchronous if it was not. For memory of
    /// <see cref="Pager.Map(PagedImage, PagedMapping)"/> it is as <see cref="PagerOptions.Tracking"/> says.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="space">Its address space: only the asynchronous tracker looks at it.</param>
    /// <param name="region">The region, whole: one of <see cref="PagerClient.Regions"/>.</param>
    /// <returns>The tracker. Disposing it ends the protection. A page that was not there yet is installed protected, and is not a write.</returns>
    /// <exception cref="ArgumentException"><paramref name="region"/> is not one of the client's.</exception>
    /// <exception cref="MemoryEngineException">EBUSY (it is being tracked), EINVAL (the kernel lacks the feature), EAGAIN (the address space goes on
    /// changing), ENOMEM.</exception>
    public static IDirtyTracker Start(PagerClient client, IAddressSpace space, AddressRange region)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(space);
        ServedWatch watcher = client.Watch(region);
        return watcher.IsAsync
            ? new AsynchronousDirtyTracker(space, client.Context, watcher, region, (ulong)watcher.Region.Pages.PageBytes)
            : new SynchronousDirtyTracker(watcher);
    }
}
