namespace Faultline.Mm;

/// <summary>The kinds of the resident set (Linux: <c>MM_FILEPAGES</c> …).</summary>
internal enum CounterKind
{
    File = 0,
    Anonymous = 1,
    Swap = 2,
    Shmem = 3,
}
