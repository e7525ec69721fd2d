namespace Faultline;

/// <summary>What UFFDIO_API wrote back; all zero after any error but EFAULT.</summary>
/// <param name="Api">The version, 0xAA.</param>
/// <param name="Features">Every feature the engine offers, not those enabled.</param>
/// <param name="Ioctls">The calls offered on the context.</param>
public readonly record struct UserfaultfdApi(ulong Api, UserfaultfdFeatures Features, UserfaultfdIoctls Ioctls)
{
    /// <summary>The only version there is.</summary>
    public const ulong Version = 0xAA;
}
