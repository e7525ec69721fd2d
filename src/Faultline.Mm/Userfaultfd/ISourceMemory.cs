namespace Faultline.Mm;

/// <summary>Reading an address space on behalf of a call: what COPY from an address needs of the layers above.</summary>
internal interface ISourceMemory
{
    /// <summary>Copies bytes that are resident and accessible, without waiting (Linux: <c>copy_from_user</c> with page faults disabled).</summary>
    unsafe bool TryCopy(MmState mm, ulong address, byte* target, int length);

    /// <summary>Copies bytes, taking faults as a kernel-mode access does. No lock may be held.</summary>
    unsafe bool CopyWithFaults(MmState mm, ulong address, byte* target, int length);
}
