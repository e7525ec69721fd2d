using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Faultline.Linux;
using Faultline.Paging;

namespace Faultline.PageServer;

/// <summary>
/// Serves one image to other processes: they connect to a Unix socket, receive the image's memory file, and hand over the userfaultfd of their mapping.
/// </summary>
/// <remarks>
/// The pager of this process resolves their faults from then on. A client whose connection ends is detached. The descriptor that clients receive
/// cannot write, so no client can change what the others see. Whoever may connect to the socket may read the image: put it into a folder with the
/// right owner.
/// </remarks>
public sealed class ImageServer : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<PagerClient> _clients = [];
    private readonly List<ClientConnection> _connections = [];
    private readonly DescriptorSocket _listener;
    private readonly string _path;
    private readonly Thread _accepting;
    private bool _isDisposed;

    /// <summary>Starts to listen.</summary>
    /// <param name="pager">Resolves the faults.</param>
    /// <param name="image">The image, one of the pager's. The caller keeps and disposes both, after this.</param>
    /// <param name="socketPath">Where to listen: a path at which nothing exists yet. Removed when this is disposed.</param>
    /// <exception cref="PageServerException">Nobody can listen there.</exception>
    public ImageServer(Pager pager, PagedImage image, string socketPath)
    {
        ArgumentNullException.ThrowIfNull(pager);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentException.ThrowIfNullOrEmpty(socketPath);
        Pager = pager;
        Image = image;
        _path = socketPath;
        SystemResult<DescriptorSocket> listening = DescriptorSocket.Listen(socketPath);
        _listener = listening.IsOk
            ? listening.Value
            : throw new PageServerException(
                $"Listening at {socketPath} was answered with {listening.Errno}: choose a path that is new, writable, and shorter than 108 bytes.");
        _accepting = new Thread(AcceptAll) { IsBackground = true, Name = "page server" };
        _accepting.Start();
    }

    /// <summary>Resolves the faults.</summary>
    public Pager Pager { get; }

    /// <summary>The image that is served.</summary>
    public PagedImage Image { get; }

    /// <summary>Every client so far, in the order of their handoffs; those that have ended too.</summary>
    public IReadOnlyList<PagerClient> Clients
    {
        get
        {
            lock (_gate)
            {
                return [.. _clients];
            }
        }
    }

    /// <summary>Stops to listen, and detaches every client: pages they have not got become errors.</summary>
    public void Dispose()
    {
        ClientConnection[] connections;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            connections = [.. _connections];
        }

        _listener.Dispose();
        _accepting.Join();
        foreach (ClientConnection connection in connections)
        {
            connection.Dispose();
        }

        File.Delete(_path);
    }

    internal void Attached(PagerClient client)
    {
        lock (_gate)
        {
            _clients.Add(client);
        }
    }

    internal void Ended(ClientConnection connection)
    {
        lock (_gate)
        {
            _connections.Remove(connection);
        }
    }

    private void AcceptAll()
    {
        while (true)
        {
            SystemResult<DescriptorSocket> accepted = _listener.Accept();
            lock (_gate)
            {
                if (_isDisposed)
                {
                    if (accepted.IsOk)
                    {
                        accepted.Value.Dispose();
                    }

                    return;
                }

                if (accepted.IsOk)
                {
                    _connections.Add(ClientConnection.Start(this, accepted.Value));
                    continue;
                }
            }

            // Out of descriptors or memory: the client waits in the queue meanwhile.
            if (accepted.Errno is not (Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM))
            {
                return;
            }

            Thread.Yield();
        }
    }
}
