using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>The outcome table row by row, those included that no test can provoke on this kernel (EIO, ENOMEM of CONTINUE).</summary>
public sealed class InstallOutcomesTests
{
    [Theory]
    [InlineData(InstallVerb.Continue, Errno.None, 4096, InstallAction.Done)]
    [InlineData(InstallVerb.Continue, Errno.EAGAIN, 4096, InstallAction.GoOn)]
    [InlineData(InstallVerb.Continue, Errno.EAGAIN, -11, InstallAction.Park)]
    [InlineData(InstallVerb.Copy, Errno.EAGAIN, 8192, InstallAction.GoOn)]
    [InlineData(InstallVerb.Copy, Errno.EAGAIN, -11, InstallAction.Park)]
    [InlineData(InstallVerb.Poison, Errno.EAGAIN, -11, InstallAction.Park)]
    [InlineData(InstallVerb.Continue, Errno.EEXIST, -17, InstallAction.SkipPage)]
    [InlineData(InstallVerb.Copy, Errno.EEXIST, -17, InstallAction.SkipPage)]
    [InlineData(InstallVerb.ZeropagePrivate, Errno.EEXIST, -17, InstallAction.SkipPage)]
    [InlineData(InstallVerb.ZeropageShared, Errno.EEXIST, -17, InstallAction.Materialise)]
    [InlineData(InstallVerb.Poison, Errno.EEXIST, -17, InstallAction.SkipPage)]
    [InlineData(InstallVerb.Continue, Errno.ENOENT, -2, InstallAction.Narrow)]
    [InlineData(InstallVerb.Continue, Errno.ESRCH, FillResult.FieldUntouched, InstallAction.ClientGone)]
    [InlineData(InstallVerb.Poison, Errno.ESRCH, FillResult.FieldUntouched, InstallAction.ClientGone)]
    [InlineData(InstallVerb.Copy, Errno.EBADF, FillResult.FieldUntouched, InstallAction.ClientGone)]
    [InlineData(InstallVerb.Continue, Errno.EFAULT, -14, InstallAction.Reload)]
    [InlineData(InstallVerb.Copy, Errno.EFAULT, -14, InstallAction.Wake)]
    [InlineData(InstallVerb.ZeropagePrivate, Errno.EFAULT, -14, InstallAction.Wake)]
    [InlineData(InstallVerb.ZeropageShared, Errno.EFAULT, -14, InstallAction.Wake)]
    [InlineData(InstallVerb.Poison, Errno.EFAULT, -14, InstallAction.Wake)]
    [InlineData(InstallVerb.Continue, Errno.ENOMEM, -12, InstallAction.MakeRoom)]
    [InlineData(InstallVerb.Copy, Errno.ENOMEM, -12, InstallAction.MakeRoom)]
    [InlineData(InstallVerb.Poison, Errno.ENOMEM, -12, InstallAction.Park)]
    [InlineData(InstallVerb.Continue, Errno.EINVAL, -22, InstallAction.Fail)]
    [InlineData(InstallVerb.Continue, Errno.EIO, -5, InstallAction.Fail)]
    [InlineData(InstallVerb.Poison, Errno.EINVAL, FillResult.FieldUntouched, InstallAction.Park)]
    internal void Of_EachAnswer_IsItsRow(InstallVerb verb, Errno errno, long field, InstallAction expected) =>
        Assert.Equal(expected, InstallOutcomes.Of(verb, new FillResult(errno, field)));
}
