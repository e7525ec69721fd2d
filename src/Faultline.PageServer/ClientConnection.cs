using System;
using System.Buffers.Binary;
using System.Text;
using System.Threading;
using Faultline.Linux;
using Faultline.Paging;
using Microsoft.Win32.SafeHandles;

namespace Faultline.PageServer;

/// <summary>The server's side of one client: the handoff, and then the watch over its connection, on a thread of its own.</summary>
internal sealed class ClientConnection : IDisposable
{
    private const int TimeoutMs = 30_000;
    private const int StackBytes = 256 * 1024;

    private readonly ImageServer _server;
    private readonly DescriptorSocket _socket;
    private readonly Thread _thread;

    private ClientConnection(ImageServer server, DescriptorSocket socket)
    {
        _server = server;
        _socket = socket;
        _thread = new Thread(Serve, StackBytes) { IsBackground = true, Name = "page server client" };
    }

    public static ClientConnection Start(ImageServer server, DescriptorSocket socket)
    {
        var connection = new ClientConnection(server, socket);
        connection._thread.Start();
        return connection;
    }

    /// <summary>Ends the connection; returns when the client is detached.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Serve()
    {
        PagerClient? client = null;
        try
        {
            client = HandOver();
            AwaitEnd();
        }
        catch (Exception e) when (e is PageServerException or MemoryEngineException or InvalidOperationException)
        {
            // The client went away, or is none of ours, or the server is closing. The client has been told as far as it can be.
        }
        finally
        {
            client?.Dispose();
            _socket.Dispose();
            _server.Ended(this);
        }
    }

    private PagerClient HandOver()
    {
        var channel = new FrameChannel(_socket);
        SendWelcome(channel);
        byte[] offer = channel.Receive(FrameKind.Offer, TimeoutMs, out SafeFileHandle? descriptor);
        using SafeFileHandle? received = descriptor;
        PagerClient? client = null;
        string sentence = string.Empty;
        try
        {
            client = Attach(ClientOffer.Parse(offer), received);
        }
        catch (Exception e) when (e is MemoryEngineException or InvalidOperationException or ArgumentException or PageServerException)
        {
            sentence = e.Message;
        }

        try
        {
            channel.Send(FrameKind.Answer, Encoding.UTF8.GetBytes(sentence));
        }
        catch (PageServerException)
        {
            client?.Dispose();
            throw;
        }

        return client ?? throw new PageServerException(sentence);
    }

    private void SendWelcome(FrameChannel channel)
    {
        Span<byte> content = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(content, _server.Image.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(content[8..], _server.Image.MappedLength);
        using var file = (LinuxMemoryFile)_server.Image.File.Reopen(FileAccessRights.Read).OrThrow("opening the image's memory file again");
        channel.Send(FrameKind.Welcome, content, file.Descriptor);
    }

    private PagerClient Attach(ClientOffer offer, SafeFileHandle? descriptor)
    {
        if (descriptor is null)
        {
            throw new PageServerException("An offer needs a userfaultfd.");
        }

        SystemResult<LinuxUserfaultfd> context = LinuxUserfaultfd.FromDescriptor(descriptor);
        if (!context.IsOk)
        {
            throw new PageServerException($"The descriptor that came with the offer is not a userfaultfd after its handshake ({context.Errno}).");
        }

        PagerClient client = _server.Pager.Attach(context.Value, offer.Name);
        _server.Attached(client);
        try
        {
            foreach (RegionOffer region in offer.Regions)
            {
                client.AddRegion(region.Range, _server.Image, region.ImageOffset, region.Kind);
            }
        }
        catch
        {
            client.Dispose();
            throw;
        }

        return client;
    }

    /// <summary>A client says nothing more; the connection ends with its process, or when it lets go of the memory.</summary>
    private void AwaitEnd()
    {
        Span<byte> ignored = stackalloc byte[16];
        while (_socket.Receive(ignored, []) is { IsOk: true, Value.Bytes: > 0 })
        {
        }
    }
}
