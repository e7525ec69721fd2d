using System;
using System.Buffers.Binary;
using System.Text;
using System.Threading;
using Faultline.Linux;
using Faultline.Paging;
using Microsoft.Win32.SafeHandles;

namespace Faultline.PageServer;

/// <summary>
/// An image mapped into this process and served by the pager of another one: its faults are resolved there, so that this process needs no threads for it.
/// </summary>
/// <remarks>
/// This process keeps its own reference to the userfaultfd: were the server's the last, its death would let missing pages read as zeroes. When the server is
/// gone, however it went, every page that is not there yet becomes an error, and whoever waits for one is woken: an access ends, and never hangs.
/// </remarks>
public sealed class RemoteImage : IDisposable
{
    private const int TimeoutMs = 30_000;
    private const int StackBytes = 256 * 1024;

    private readonly LinuxEngine _engine;
    private readonly DescriptorSocket _socket;
    private readonly IUserfaultfd _context;
    private readonly Thread _watching;
    private int _isDisposed;
    private volatile bool _isLost;

    private RemoteImage(LinuxEngine engine, DescriptorSocket socket, IUserfaultfd context, AddressRange range, ulong length)
    {
        _engine = engine;
        _socket = socket;
        _context = context;
        Range = range;
        Length = length;
        _watching = new Thread(Watch, StackBytes) { IsBackground = true, Name = "page server watch" };
        _watching.Start();
    }

    /// <summary>Where the image is mapped.</summary>
    public AddressRange Range { get; }

    /// <summary>The length of the image in bytes; the mapping is rounded up to a page.</summary>
    public ulong Length { get; }

    /// <summary>Whether the server is gone, and the pages it had not brought were made errors.</summary>
    public bool IsLost => _isLost;

    /// <summary>Connects to a server, maps its image, and hands the faults of the mapping over.</summary>
    /// <param name="engine">The engine; the image is mapped into its <see cref="LinuxEngine.Home"/>.</param>
    /// <param name="socketPath">Where the server listens.</param>
    /// <param name="name">A name for the server's messages and statistics.</param>
    /// <param name="mapping">What memory to map it as.</param>
    /// <exception cref="PageServerException">Nobody listens there, or the server refuses.</exception>
    /// <exception cref="MemoryEngineException">This process cannot map the image or open a userfaultfd.</exception>
    public static RemoteImage Connect(LinuxEngine engine, string socketPath, string name, RemoteMapping mapping = RemoteMapping.Private)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentException.ThrowIfNullOrEmpty(socketPath);
        ArgumentNullException.ThrowIfNull(name);
        SystemResult<DescriptorSocket> connected = DescriptorSocket.Connect(socketPath);
        if (!connected.IsOk)
        {
            throw new PageServerException($"Connecting to the page server at {socketPath} was answered with {connected.Errno}: start the server first.");
        }

        DescriptorSocket socket = connected.Value;
        IUserfaultfd? context = null;
        AddressRange range = default;
        try
        {
            var channel = new FrameChannel(socket);
            byte[] welcome = channel.Receive(FrameKind.Welcome, TimeoutMs, out SafeFileHandle? descriptor);
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(welcome);
            ulong mappedLength = BinaryPrimitives.ReadUInt64LittleEndian(welcome.AsSpan(8));
            using IMemoryFile file = OpenFile(descriptor);
            range = Map(engine, file, mappedLength, mapping);
            context = Register(engine, range, mapping);
            Offer(channel, context, range, name, mapping);
            return new RemoteImage(engine, socket, context, range, length);
        }
        catch
        {
            socket.Dispose();
            context?.Dispose();
            if (range.Length > 0)
            {
                engine.Home.Unmap(range);
            }

            throw;
        }
    }

    /// <summary>Unmaps the image and lets go of the server. No thread may be inside the memory any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _engine.Home.Unmap(Range);
        _socket.Dispose();
        _watching.Join();
        _context.Dispose();
    }

    private static LinuxMemoryFile OpenFile(SafeFileHandle? descriptor)
    {
        if (descriptor is null)
        {
            throw new PageServerException("The page server sent no memory file.");
        }

        SystemResult<LinuxMemoryFile> file = LinuxMemoryFile.FromDescriptor(descriptor);
        if (!file.IsOk)
        {
            descriptor.Dispose();
            throw new PageServerException($"What the page server sent as its memory file is none ({file.Errno}).");
        }

        return file.Value;
    }

    private static AddressRange Map(LinuxEngine engine, IMemoryFile file, ulong length, RemoteMapping mapping)
    {
        MapRequest request = mapping == RemoteMapping.Private ? MapRequest.PrivateFile(file, length) : MapRequest.PrivateAnonymous(length);
        request = request with { Options = request.Options | MapOptions.NoReserve };
        return new AddressRange(engine.Home.Map(in request).OrThrow("mmap"), length);
    }

    private static IUserfaultfd Register(LinuxEngine engine, AddressRange range, RemoteMapping mapping)
    {
        bool isShmem = mapping == RemoteMapping.Private;
        UserfaultfdFeatures required = isShmem ? UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem : UserfaultfdFeatures.None;
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(engine.Home, required, UserfaultfdFeatures.Poison);
        if (opened.Errno == Errno.EPERM)
        {
            opened = UserfaultfdHandshake.Open(engine.Home, required, UserfaultfdFeatures.Poison, door: UserfaultfdDoor.Device);
        }

        IUserfaultfd context = opened.OrThrow("userfaultfd");
        RegisterResult registered = context.Register(range, isShmem ? RegisterModes.Missing | RegisterModes.Minor : RegisterModes.Missing);
        if (!registered.IsOk)
        {
            context.Dispose();
            throw new MemoryEngineException("UFFDIO_REGISTER", range, registered.Errno);
        }

        return context;
    }

    private static void Offer(FrameChannel channel, IUserfaultfd context, AddressRange range, string name, RemoteMapping mapping)
    {
        var region = new RegionOffer(range, 0, mapping == RemoteMapping.Private ? RegionKind.PrivateImage : RegionKind.Copied);
        channel.Send(FrameKind.Offer, new ClientOffer(name, [region]).ToBytes(), ((LinuxUserfaultfd)context).Descriptor);
        byte[] answer = channel.Receive(FrameKind.Answer, TimeoutMs, out SafeFileHandle? unwanted);
        unwanted?.Dispose();
        if (answer.Length > 0)
        {
            throw new PageServerException("The page server refused: " + Encoding.UTF8.GetString(answer));
        }
    }

    private void Watch()
    {
        Span<byte> ignored = stackalloc byte[16];
        while (_socket.Receive(ignored, []) is { IsOk: true, Value.Bytes: > 0 })
        {
        }

        if (Volatile.Read(ref _isDisposed) == 0)
        {
            _isLost = true;
            PoisonRest();
        }
    }

    /// <summary>Makes an error of every page that is not there, and wakes whoever waits for one that is.</summary>
    private void PoisonRest()
    {
        ulong offset = 0;
        while (offset < Range.Length && Volatile.Read(ref _isDisposed) == 0)
        {
            FillResult result = _context.Poison(Range.Slice(offset, Range.Length - offset));
            offset += result.BytesDone;
            if (result.IsOk)
            {
                break;
            }

            if (result.Errno == Errno.EEXIST)
            {
                offset += PageSize.Small;
            }
            else if (result.IsChanging)
            {
                Thread.Yield();
            }
            else if (!result.IsPartial)
            {
                // No POISON on this kernel, or the memory is gone: nothing more can be promised than IsLost.
                break;
            }
        }

        _context.Wake(Range);
    }
}
