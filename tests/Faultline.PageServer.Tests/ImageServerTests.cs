using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Linux;
using Faultline.Paging;
using Xunit;

namespace Faultline.PageServer.Tests;

public sealed class ImageServerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(RemoteMapping.Private)]
    [InlineData(RemoteMapping.Copied)]
    public void Connect_EachMapping_ReadsTheImage(RemoteMapping mapping)
    {
        using var served = new ServedImage();
        using RemoteImage image = served.Connect("one", mapping);
        Assert.Equal((ulong)served.Contents.Length, image.Length);
        for (int page = 0; page < ServedImage.Pages; page++)
        {
            served.AssertHolds(image, page);
        }

        PagerClient client = Assert.Single(served.Server.Clients);
        Assert.Equal("one", client.Name);
        Assert.Equal(ServedImage.Pages, client.GetStatistics().MissingFaults);
    }

    [Fact]
    public void Connect_SecondClone_FindsEveryPageInTheCache()
    {
        using var served = new ServedImage();
        using RemoteImage first = served.Connect("first");
        using RemoteImage second = served.Connect("second");
        for (int page = 0; page < ServedImage.Pages; page++)
        {
            served.AssertHolds(first, page);
        }

        long storeBytes = served.Pager.GetStatistics().StoreBytes;
        for (int page = 0; page < ServedImage.Pages; page++)
        {
            served.AssertHolds(second, page);
        }

        Assert.Equal(storeBytes, served.Pager.GetStatistics().StoreBytes);
        PagerClient client = served.Server.Clients.Single(static client => client.Name == "second");
        Assert.Equal(ServedImage.Pages, client.GetStatistics().MinorFaults);
        Assert.Equal(0, client.GetStatistics().MissingFaults);
    }

    [Fact]
    public void Write_ToOneClone_IsSeenByNoOther()
    {
        using var served = new ServedImage();
        using RemoteImage first = served.Connect("first");
        using RemoteImage second = served.Connect("second");
        byte[] stamp = new byte[PageSize.Small];
        Array.Fill(stamp, (byte)0xA5);
        Assert.Equal(AccessFault.None, served.Access.Write(first.Range.Start, stamp).Fault);
        served.Read(first, 0, out byte[] own);
        Assert.Equal(stamp, own);
        served.AssertHolds(second, 0);
    }

    [Fact]
    public void Server_Gone_PagesThatCameStayAndTheOthersAreErrors()
    {
        using var served = new ServedImage();
        using RemoteImage image = served.Connect("orphan");
        served.AssertHolds(image, 3);
        served.Server.Dispose();
        AwaitTrue(() => image.IsLost, "The client did not notice that its server is gone.");
        served.AssertHolds(image, 3);
        Assert.Equal(AccessFault.BadAddress, served.Read(image, 4, out _).Fault);
    }

    [Fact]
    public async Task Server_GoneWhileAClientWaits_TheWaitEnds()
    {
        using var served = new ServedImage();
        using var stuck = new StuckStore((ulong)served.Contents.Length);
        string socket = served.Socket + ".stuck";
        using PagedImage image = served.Pager.OpenImage(stuck, "stuck", StoreOwnership.Caller);
        using var server = new ImageServer(served.Pager, image, socket);
        using var remote = RemoteImage.Connect(served.Engine, socket, "waiter");
        Task<AccessResult> access = Task.Factory.StartNew(
            () => served.Read(remote, 0, out _),
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Assert.True(stuck.Asked.Wait(Deadline, TestContext.Current.CancellationToken), "The store was not asked.");
        server.Dispose();
        AccessResult result = await access.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(AccessFault.BadAddress, result.Fault);
    }

    [Fact]
    public async Task Client_Disposed_IsDetached()
    {
        using var served = new ServedImage();
        RemoteImage image = served.Connect("short");
        PagerClient client = Assert.Single(served.Server.Clients);
        image.Dispose();
        await client.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Stranger_SendsSomethingElse_IsClosedAndOthersAreServed()
    {
        using var served = new ServedImage();
        using DescriptorSocket stranger = DescriptorSocket.Connect(served.Socket).OrThrow("connecting");
        Assert.True(stranger.Send("GET / HTTP/1.1\r\n\r\n"u8).IsOk);
        byte[] ignored = new byte[64];
        const int TimeoutMs = 60_000;
        SystemResult<ReceivedMessage> received;
        do
        {
            received = stranger.Receive(ignored, [], TimeoutMs);
        }
        while (received.IsOk && received.Value.Bytes > 0);

        Assert.NotEqual(Errno.ETIMEDOUT, received.Errno);
        using RemoteImage image = served.Connect("proper");
        served.AssertHolds(image, 7);
        Assert.Single(served.Server.Clients);
    }

    [Fact]
    public void Connect_NobodyListens_SaysSo()
    {
        using var engine = new LinuxEngine();
        PageServerException refused = Assert.Throws<PageServerException>(() => RemoteImage.Connect(engine, "/tmp/no-such-socket", "x"));
        Assert.Contains("start the server first", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Listen_PathIsTaken_SaysSo()
    {
        using var served = new ServedImage();
        Assert.Throws<PageServerException>(() => new ImageServer(served.Pager, served.Image, served.Socket));
    }

    [Fact]
    public void Dispose_Server_RemovesItsSocket()
    {
        using var served = new ServedImage();
        Assert.True(File.Exists(served.Socket));
        served.Server.Dispose();
        Assert.False(File.Exists(served.Socket));
    }

    private static void AwaitTrue(Func<bool> condition, string failure)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, failure);
            Thread.Yield();
        }
    }
}
