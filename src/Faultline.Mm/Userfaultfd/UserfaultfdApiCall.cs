namespace Faultline.Mm;

/// <summary>UFFDIO_API: the handshake (Linux: <c>userfaultfd_api</c>).</summary>
internal static class UserfaultfdApiCall
{
    /// <summary>Everything the engine offers: all features of 6.18.</summary>
    public const UserfaultfdFeatures Offered = (UserfaultfdFeatures)0x1ffff;

    /// <returns>EINVAL (version, unknown feature, second time); the answer is all zero then.</returns>
    public static SystemResult<UserfaultfdApi> Run(UserfaultfdContext context, UserfaultfdFeatures features, ulong api)
    {
        if (api != UserfaultfdApi.Version)
        {
            return new(default, Errno.EINVAL);
        }

        if ((features & UserfaultfdFeatures.WriteProtectAsync) != 0)
        {
            features |= UserfaultfdFeatures.WriteProtectUnpopulated;
        }

        if ((features & ~Offered) != 0 || !context.TryLatch(features))
        {
            return new(default, Errno.EINVAL);
        }

        const UserfaultfdIoctls Ioctls = UserfaultfdIoctls.Api | UserfaultfdIoctls.Register | UserfaultfdIoctls.Unregister;
        return new(new UserfaultfdApi(UserfaultfdApi.Version, Offered, Ioctls), Errno.None);
    }
}
