namespace Faultline.Conformance;

/// <summary>The five ways a page-table entry is installed, as numbered in the 2021 review of the install step.</summary>
public enum InstallCase
{
    /// <summary>1: COPY into private anonymous memory.</summary>
    AnonymousCopy = 1,

    /// <summary>2: COPY into a private shmem mapping: a new anonymous page.</summary>
    PrivateCopy = 2,

    /// <summary>3: CONTINUE in a private shmem mapping: the page of the cache, never writable.</summary>
    PrivateContinue = 3,

    /// <summary>4: CONTINUE in a shared shmem mapping.</summary>
    SharedContinue = 4,

    /// <summary>5: COPY into a shared shmem mapping: a new page of the cache.</summary>
    SharedCopy = 5,
}
