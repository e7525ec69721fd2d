using Xunit;

namespace Faultline.Conformance;

/// <summary>Assertions on what an engine answers.</summary>
public static class Expect
{
    /// <summary>The call succeeded.</summary>
    public static void Ok(SystemResult result) => Assert.Equal(Errno.None, result.Errno);

    /// <summary>The call succeeded; its value.</summary>
    public static T Ok<T>(SystemResult<T> result)
    {
        Assert.Equal(Errno.None, result.Errno);
        return result.Value;
    }

    /// <summary>The call failed so.</summary>
    public static void Fails(SystemResult result, Errno errno) => Assert.Equal(errno, result.Errno);

    /// <summary>The call failed so.</summary>
    public static void Fails<T>(SystemResult<T> result, Errno errno) => Assert.Equal(errno, result.Errno);

    /// <summary>The registration was refused so.</summary>
    public static void Fails(RegisterResult result, Errno errno) => Assert.Equal(errno, result.Errno);

    /// <summary>The whole range was filled.</summary>
    public static void Filled(FillResult result, ulong length) => Assert.Equal(new FillResult(Errno.None, (long)length), result);

    /// <summary>Nothing was filled, and the field holds the negative error.</summary>
    public static void Fails(FillResult result, Errno errno) => Assert.Equal(new FillResult(errno, -(long)errno), result);

    /// <summary>The arguments were refused before the field was written.</summary>
    public static void Refused(FillResult result, Errno errno) => Assert.Equal(new FillResult(errno, FillResult.FieldUntouched), result);

    /// <summary>A part was filled, then an error came.</summary>
    public static void Partial(FillResult result, ulong done)
    {
        Assert.Equal(new FillResult(Errno.EAGAIN, (long)done), result);
        Assert.True(result.IsPartial);
        Assert.Equal(done, result.BytesDone);
    }
}
