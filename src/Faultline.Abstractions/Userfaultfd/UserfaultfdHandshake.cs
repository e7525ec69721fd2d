namespace Faultline;

/// <summary>Opens a userfaultfd and enables features in two steps, as the kernel needs it: a probe latches its features, so it is thrown away.</summary>
public static class UserfaultfdHandshake
{
    /// <summary>What the engine offers.</summary>
    /// <returns>The features, or the error of opening or of the handshake.</returns>
    public static SystemResult<UserfaultfdFeatures> Probe(IAddressSpace space, UserfaultfdOptions options, UserfaultfdDoor door = UserfaultfdDoor.SystemCall)
    {
        SystemResult<IUserfaultfd> opened = space.OpenUserfaultfd(options, door);
        if (!opened.IsOk)
        {
            return new(UserfaultfdFeatures.None, opened.Errno);
        }

        using IUserfaultfd probe = opened.Value;
        SystemResult<UserfaultfdApi> api = probe.Handshake(UserfaultfdFeatures.None);
        return new(api.Value.Features, api.Errno);
    }

    /// <summary>Opens a context with all of <paramref name="required"/>, and as many of <paramref name="optional"/> as there are.</summary>
    /// <returns>The context, ready for use, or the error of opening; EINVAL if a required feature is not offered, EPERM if EVENT_FORK is not allowed.</returns>
    public static SystemResult<IUserfaultfd> Open(
        IAddressSpace space,
        UserfaultfdFeatures required,
        UserfaultfdFeatures optional = UserfaultfdFeatures.None,
        UserfaultfdOptions options = UserfaultfdOptions.CloseOnExec | UserfaultfdOptions.NonBlocking,
        UserfaultfdDoor door = UserfaultfdDoor.SystemCall)
    {
        SystemResult<UserfaultfdFeatures> offered = Probe(space, options, door);
        if (!offered.IsOk)
        {
            return new(null!, offered.Errno);
        }

        if ((required & ~offered.Value) != 0)
        {
            return new(null!, Errno.EINVAL);
        }

        SystemResult<IUserfaultfd> opened = space.OpenUserfaultfd(options, door);
        if (!opened.IsOk)
        {
            return opened;
        }

        SystemResult<UserfaultfdApi> api = opened.Value.Handshake(required | (optional & offered.Value));
        if (!api.IsOk)
        {
            opened.Value.Dispose();
            return new(null!, api.Errno);
        }

        return opened;
    }
}
