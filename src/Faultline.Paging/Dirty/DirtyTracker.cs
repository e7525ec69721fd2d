using System;

namespace Faultline.Paging;

/// <summary>Begins to track writes.</summary>
public static class DirtyTracker
{
    private const UserfaultfdFeatures Both =
        UserfaultfdFeatures.PageFaultFlagWriteProtect | UserfaultfdFeatures.WriteProtectHugetlbfsShmem | UserfaultfdFeatures.WriteProtectUnpopulated;

    /// <summary>Protects a range against writes and notes every write from now on.</summary>
    /// <param name="engine">The engine of the address space.</param>
    /// <param name="space">Whose memory it is.</param>
    /// <param name="range">
    /// What to track: mapped, aligned to pages (2 MiB on hugetlb), of anonymous, shmem or hugetlb memory, shared or private, and not registered
    /// with a userfaultfd.
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
        bool isAsync = kind == DirtyTracking.Asynchronous;
        UserfaultfdFeatures features = isAsync ? Both | UserfaultfdFeatures.WriteProtectAsync : Both;
        IUserfaultfd context = UserfaultfdHandshake.Open(space, features).OrThrow("userfaultfd", range);
        try
        {
            RegisterResult registered = context.Register(range, RegisterModes.WriteProtect);
            new SystemResult(registered.Errno).OrThrow("UFFDIO_REGISTER", range);

            // Where one of the mappings is hugetlb, and only there, REGISTER does not offer ZEROPAGE.
            ulong pageBytes = (registered.Ioctls & UserfaultfdIoctls.Zeropage) != 0 ? PageSize.Small : PageSize.Huge;
            return isAsync
                ? new AsynchronousDirtyTracker(space, context, range, pageBytes)
                : new SynchronousDirtyTracker(engine, context, range, pageBytes);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }
}
