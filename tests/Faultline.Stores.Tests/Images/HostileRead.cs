using System;
using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What may become of an image that is damaged or made with intent: a clear refusal or bytes, and bounded memory.</summary>
internal static class HostileRead
{
    /// <summary>What one case may allocate: far more than the image has, far less than a hostile size asks for.</summary>
    public const long MostAllocated = 8 << 20;

    private const int StepBytes = 5000;
    private const ulong MostRead = 200_000;

    /// <summary>Opens and reads everything, as far as it goes.</summary>
    /// <param name="open">Opens the image.</param>
    /// <param name="contents">What every byte that is read must be; null if any will do.</param>
    /// <returns>Whether all of it could be read.</returns>
    public static async Task<bool> AllAsync(Func<Task<ImagePageStore>> open, byte[]? contents)
    {
        byte[] target = new byte[StepBytes];
        bool isWhole = true;
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using ImagePageStore image = await open();
            for (ulong offset = 0; offset < Math.Min(image.Length, MostRead); offset += StepBytes)
            {
                StoreRead read = await image.ReadAsync(offset, target, TestContext.Current.CancellationToken);
                if (read.Cause is { } cause)
                {
                    Assert.True(cause is ImageFormatException or IOException, cause.ToString());
                    isWhole = false;
                }
                else if (contents is not null)
                {
                    Reading.AssertSame(contents.AsMemory((int)offset, read.BytesRead), target.AsMemory(0, read.BytesRead));
                }
            }
        }
        catch (Exception refusal) when (refusal is ImageFormatException or IOException)
        {
            Assert.NotEmpty(refusal.Message);
            isWhole = false;
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocated);
        return isWhole;
    }
}
