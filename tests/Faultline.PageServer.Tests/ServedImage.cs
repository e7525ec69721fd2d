using System;
using System.IO;
using Faultline.Linux;
using Faultline.Paging;
using Xunit;

namespace Faultline.PageServer.Tests;

/// <summary>A server with an image of known bytes, and the engine its clients use; everything in this process.</summary>
internal sealed class ServedImage : IDisposable
{
    public const int Pages = 256;

    private const int PageBytes = (int)PageSize.Small;

    private readonly string _folder = Directory.CreateTempSubdirectory("page-server-test-").FullName;

    public ServedImage()
    {
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        Contents = new byte[Pages * PageBytes];
        new Random(1).NextBytes(Contents);
        Access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("opening the access");
        Pager = new Pager(Engine, new PagerOptions { LoadBytes = PageBytes, SequentialWindowBytes = PageBytes, NeighbourPages = 1 });
        Image = Pager.OpenImage(new MemoryPageStore(Contents), "served");
        Server = new ImageServer(Pager, Image, Socket);
    }

    public LinuxEngine Engine { get; } = new();

    public IMemoryAccess Access { get; }

    public byte[] Contents { get; }

    public Pager Pager { get; }

    public PagedImage Image { get; }

    public ImageServer Server { get; }

    public string Socket => Path.Combine(_folder, "pages.sock");

    public RemoteImage Connect(string name, RemoteMapping mapping = RemoteMapping.Private) => RemoteImage.Connect(Engine, Socket, name, mapping);

    /// <summary>Reads one page by a native copy, as a clone would.</summary>
    public AccessResult Read(RemoteImage image, int page, out byte[] bytes)
    {
        bytes = new byte[PageBytes];
        return Access.Read(image.Range.Start + ((ulong)page * PageSize.Small), bytes);
    }

    /// <summary>Reads one page, which must be there and right.</summary>
    public void AssertHolds(RemoteImage image, int page)
    {
        Assert.Equal(AccessFault.None, Read(image, page, out byte[] bytes).Fault);
        Assert.True(bytes.AsSpan().SequenceEqual(Contents.AsSpan(page * PageBytes, PageBytes)), $"Page {page} differs from the image.");
    }

    public void Dispose()
    {
        Server.Dispose();
        Image.Dispose();
        Pager.Dispose();
        Access.Dispose();
        Engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
