namespace Faultline.Linux.Abi;

// sys/mman.h
internal static class mman_h
{
    public const int MLOCK_ONFAULT = 1;
}
