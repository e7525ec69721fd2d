namespace Faultline.Paging;

/// <summary>
/// The outcome table: what each answer of COPY, ZEROPAGE, CONTINUE and POISON means for the fault. One row for each (verb, errno, sign of
/// the field); each row has a test that provokes it. <c>docs/errors.md</c> is this table in words.
/// </summary>
internal static class InstallOutcomes
{
    public static InstallAction Of(InstallVerb verb, FillResult result) => (result.Errno, verb) switch
    {
        (Errno.None, _) => InstallAction.Done,

        // The sign of the field alone tells the two apart.
        (Errno.EAGAIN, _) when result.IsPartial => InstallAction.GoOn,
        (Errno.EAGAIN, _) => InstallAction.Park,

        (Errno.EEXIST, InstallVerb.ZeropageShared or InstallVerb.CopyShared) => InstallAction.Materialise,
        (Errno.EEXIST, _) => InstallAction.SkipPage,

        (Errno.ENOENT, _) => InstallAction.Narrow,
        (Errno.ESRCH, _) => InstallAction.ClientGone,
        (Errno.EBADF or Errno.ECANCELED, _) => InstallAction.ClientGone,

        (Errno.EFAULT, InstallVerb.Continue or InstallVerb.ContinueQuietly or InstallVerb.ContinueWritable) => InstallAction.Reload,
        (Errno.EFAULT, _) => InstallAction.Wake,

        (Errno.ENOMEM, InstallVerb.Poison) => InstallAction.Park,
        (Errno.ENOMEM, _) => InstallAction.MakeRoom,

        // Without UFFDIO_POISON there is no way to end a fault badly, and it may not end well: the thread waits on, and is tried again.
        (_, InstallVerb.Poison) => InstallAction.Park,

        // EINVAL: beyond the end of a shmem file that someone shortened (POISON then answers EFAULT, and the access SIGBUS). EIO: the page
        // in the cache is bad.
        _ => InstallAction.Fail,
    };
}
