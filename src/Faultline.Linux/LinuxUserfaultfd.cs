using System;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Linux.Abi;

namespace Faultline.Linux;

/// <summary>A userfaultfd of the running kernel.</summary>
/// <remarks>
/// Disposing a context that was opened without <see cref="UserfaultfdOptions.NonBlocking"/> interrupts the threads that are blocked in
/// <see cref="Read"/> and waits for them; their answer is ECANCELED. After <see cref="Dispose"/> every other call answers EBADF.
/// </remarks>
public sealed unsafe class LinuxUserfaultfd : IUserfaultfd
{
    private const int MaximumBatch = 64;

    // The kernel's own mark among the features of fdinfo: the handshake was made.
    private const ulong InitialisedBit = 1UL << 31;

    private readonly LinuxDescriptor _descriptor;
    private readonly UserfaultfdOwner _owner;
    private readonly BlockedReaders? _blockedReaders;
    private ulong _features;

    // The fdinfo file, opened when the counts are first asked for: each reading from its beginning is a new look.
    private LinuxDescriptor? _information;

    internal LinuxUserfaultfd(int descriptor, UserfaultfdOptions options, UserfaultfdFeatures features, UserfaultfdOwner owner)
    {
        _descriptor = new LinuxDescriptor(descriptor);
        _owner = owner;
        _features = (ulong)features;
        _blockedReaders = (options & UserfaultfdOptions.NonBlocking) == 0 ? new BlockedReaders() : null;
        Options = options;
    }

    /// <inheritdoc/>
    public UserfaultfdOptions Options { get; }

    /// <inheritdoc/>
    public UserfaultfdFeatures Features => (UserfaultfdFeatures)Volatile.Read(ref _features);

    /// <summary>The open descriptor, to be polled or sent to another process. It stays this object's.</summary>
    public SafeHandle Descriptor => _descriptor;

    /// <summary>The descriptor for other classes of the engine.</summary>
    internal LinuxDescriptor LinuxDescriptor => _descriptor;

    /// <summary>
    /// Makes a context of a descriptor that another process sent, or that was inherited. Whether it does not block, and the features
    /// enabled on it, are read off the descriptor; that it is <see cref="UserfaultfdOptions.UserModeOnly"/> cannot be seen from outside.
    /// </summary>
    /// <param name="descriptor">The descriptor. On success it belongs to the context; else it stays the caller's.</param>
    /// <param name="owner">The address space it belongs to, if that is one of this engine's: MOVE, and COPY from an address, are made there. Without it
    /// they answer EOPNOTSUPP.</param>
    /// <returns>The context, or EINVAL (not a userfaultfd), EBADF.</returns>
    /// <exception cref="ArgumentException">The owner is an address space of another engine.</exception>
    public static SystemResult<LinuxUserfaultfd> FromDescriptor(SafeHandle descriptor, IAddressSpace? owner = null)
    {
        if (owner is not (null or LinuxAddressSpace))
        {
            throw new ArgumentException("The owner was made by another engine. Leave it out, or name an address space of the Linux engine.", nameof(owner));
        }

        int number = (int)descriptor.DangerousGetHandle();
        int flags = LibC.fcntl(number, fcntl_h.F_GETFL, 0);
        if (flags == -1)
        {
            return new(null!, LibC.LastErrno());
        }

        Span<byte> text = stackalloc byte[512];
        Errno errno = ProcFile.Read(ProcFile.DescriptorInfo, number, text, out int length);
        ReadOnlySpan<byte> label = "API:\taa:"u8;
        int at = text[..length].IndexOf(label);
        if (errno != Errno.None || at < 0 || !Utf8Parser.TryParse(text[(at + label.Length)..length], out ulong features, out _, 'x'))
        {
            return new(null!, errno == Errno.None ? Errno.EINVAL : errno);
        }

        descriptor.SetHandleAsInvalid();
        UserfaultfdOptions options = (UserfaultfdOptions)(flags & fcntl_h.O_NONBLOCK) | UserfaultfdOptions.CloseOnExec;
        UserfaultfdOwner known = (owner as LinuxAddressSpace)?.Owner ?? new UserfaultfdOwner(caller: null);
        return new(new LinuxUserfaultfd(number, options, (UserfaultfdFeatures)(features & ~InitialisedBit), known), Errno.None);
    }

    /// <inheritdoc/>
    public SystemResult<UserfaultfdCounts> GetCounts()
    {
        if (!_descriptor.TryEnter())
        {
            return new(default, Errno.EBADF);
        }

        Span<byte> text = stackalloc byte[512];
        Errno errno = ReadInformation(text, out int length);
        _descriptor.Leave();
        if (errno != Errno.None)
        {
            return new(default, errno);
        }

        text = text[..length];
        return new(new((int)ProcFile.Number(text, "pending:"u8), (int)ProcFile.Number(text, "total:"u8)), Errno.None);
    }

    /// <inheritdoc/>
    public SystemResult<UserfaultfdApi> Handshake(UserfaultfdFeatures features, ulong api = UserfaultfdApi.Version)
    {
        if ((features & UserfaultfdFeatures.EventFork) != 0)
        {
            // Without it children may not be had; that is told when one is asked for.
            _ = _owner.BeforeForkEvents?.Invoke();
        }

        uffdio_api argument = new() { api = api, features = (ulong)features };
        Errno errno = Ioctl(userfaultfd_h.UFFDIO_API, &argument);
        if (errno == Errno.None)
        {
            UserfaultfdFeatures implied = (features & UserfaultfdFeatures.WriteProtectAsync) != 0
                ? UserfaultfdFeatures.WriteProtectUnpopulated
                : UserfaultfdFeatures.None;
            Volatile.Write(ref _features, (ulong)(features | implied));
        }

        return new(new(argument.api, (UserfaultfdFeatures)argument.features, (UserfaultfdIoctls)argument.ioctls), errno);
    }

    /// <inheritdoc/>
    public RegisterResult Register(AddressRange range, RegisterModes modes)
    {
        uffdio_register argument = new() { range = Range(range), mode = (ulong)modes };
        Errno errno = Ioctl(userfaultfd_h.UFFDIO_REGISTER, &argument);
        return new(errno, (UserfaultfdIoctls)argument.ioctls);
    }

    /// <inheritdoc/>
    public SystemResult Unregister(AddressRange range)
    {
        uffdio_range argument = Range(range);
        return new(Ioctl(userfaultfd_h.UFFDIO_UNREGISTER, &argument));
    }

    /// <inheritdoc/>
    public SystemResult Wake(AddressRange range)
    {
        uffdio_range argument = Range(range);
        return new(Ioctl(userfaultfd_h.UFFDIO_WAKE, &argument));
    }

    /// <inheritdoc/>
    public FillResult Copy(VirtualAddress target, ReadOnlySpan<byte> source, FillModes modes = FillModes.None)
    {
        fixed (byte* pinned = source)
        {
            uffdio_copy argument;
            argument.dst = target.Value;
            argument.src = (ulong)pinned;
            argument.len = (ulong)source.Length;
            argument.mode = (ulong)modes;
            argument.copy = FillResult.FieldUntouched;
            Errno errno = Ioctl(userfaultfd_h.UFFDIO_COPY, &argument);
            return new(errno, argument.copy);
        }
    }

    /// <inheritdoc/>
    public FillResult Copy(AddressRange target, VirtualAddress source, FillModes modes = FillModes.None)
    {
        uffdio_copy argument;
        argument.dst = target.Start.Value;
        argument.src = source.Value;
        argument.len = target.Length;
        argument.mode = (ulong)modes;
        argument.copy = FillResult.FieldUntouched;
        Errno errno = IoctlInOwner(userfaultfd_h.UFFDIO_COPY, MemoryMarshal.AsBytes(new Span<uffdio_copy>(ref argument)));
        return new(errno, argument.copy);
    }

    /// <inheritdoc/>
    public FillResult Zeropage(AddressRange range, FillModes modes = FillModes.None)
    {
        uffdio_zeropage argument;
        argument.range = Range(range);
        argument.mode = (ulong)modes;
        argument.zeropage = FillResult.FieldUntouched;
        Errno errno = Ioctl(userfaultfd_h.UFFDIO_ZEROPAGE, &argument);
        return new(errno, argument.zeropage);
    }

    /// <inheritdoc/>
    public FillResult Continue(AddressRange range, FillModes modes = FillModes.None)
    {
        uffdio_continue argument;
        argument.range = Range(range);
        argument.mode = (ulong)modes;
        argument.mapped = FillResult.FieldUntouched;
        Errno errno = Ioctl(userfaultfd_h.UFFDIO_CONTINUE, &argument);
        return new(errno, argument.mapped);
    }

    /// <inheritdoc/>
    public FillResult Poison(AddressRange range, FillModes modes = FillModes.None)
    {
        uffdio_poison argument;
        argument.range = Range(range);
        argument.mode = (ulong)modes;
        argument.updated = FillResult.FieldUntouched;
        Errno errno = Ioctl(userfaultfd_h.UFFDIO_POISON, &argument);
        return new(errno, argument.updated);
    }

    /// <inheritdoc/>
    public FillResult Move(VirtualAddress target, VirtualAddress source, ulong length, MoveModes modes = MoveModes.None)
    {
        uffdio_move argument;
        argument.dst = target.Value;
        argument.src = source.Value;
        argument.len = length;
        argument.mode = (ulong)modes;
        argument.move = FillResult.FieldUntouched;
        Errno errno = IoctlInOwner(userfaultfd_h.UFFDIO_MOVE, MemoryMarshal.AsBytes(new Span<uffdio_move>(ref argument)));
        return new(errno, argument.move);
    }

    /// <inheritdoc/>
    public SystemResult WriteProtect(AddressRange range, WriteProtectModes modes)
    {
        uffdio_writeprotect argument = new() { range = Range(range), mode = (ulong)modes };
        return new(Ioctl(userfaultfd_h.UFFDIO_WRITEPROTECT, &argument));
    }

    /// <inheritdoc/>
    public SystemResult<int> Read(Span<UserfaultfdMessage> messages)
    {
        if (!_descriptor.TryEnter())
        {
            return new(0, Errno.ECANCELED);
        }

        SystemResult<int> result = _blockedReaders is null ? ReadNow(messages) : ReadBlocking(messages, _blockedReaders);
        _descriptor.Leave();
        return result;
    }

    /// <summary>Closes the context, as soon as no call is inside it.</summary>
    public void Dispose()
    {
        _blockedReaders?.Cancel();
        _descriptor.Dispose();
        Volatile.Read(ref _information)?.Dispose();
    }

    /// <summary>How many threads the kernel has put to sleep in a blocking read. For a test that has to know that nothing is on its way.</summary>
    internal int CountSleepingReaders()
    {
        if (_blockedReaders is null || !_descriptor.TryEnter())
        {
            return 0;
        }

        int asleep = _blockedReaders.CountAsleep(_descriptor.Number);
        _descriptor.Leave();
        return asleep;
    }

    private static uffdio_range Range(AddressRange range) => new() { start = range.Start.Value, len = range.Length };

    // Inside the context's own descriptor, so that the number is still this context's.
    private Errno ReadInformation(Span<byte> text, out int length)
    {
        LinuxDescriptor? information = Volatile.Read(ref _information);
        if (information is null)
        {
            length = 0;
            Errno errno = ProcFile.Open(ProcFile.DescriptorInfo, _descriptor.Number, fcntl_h.O_RDONLY, out int opened);
            if (errno != Errno.None)
            {
                return errno;
            }

            LinuxDescriptor mine = new(opened);
            information = Interlocked.CompareExchange(ref _information, mine, null) ?? mine;
            if (information != mine || _descriptor.IsClosed)
            {
                // Another one was first, or Dispose, which has not seen this one.
                mine.Dispose();
            }
        }

        return ProcFile.Read(information, text, out length);
    }

    private SystemResult<int> ReadBlocking(Span<UserfaultfdMessage> messages, BlockedReaders readers)
    {
        int threadId = KernelThread.CurrentId;
        if (!readers.TryEnter(threadId))
        {
            return new(0, Errno.ECANCELED);
        }

        SystemResult<int> result = ReadNow(messages);
        readers.Leave(threadId);
        return result.Errno == Errno.EINTR && readers.IsCancelled ? new(0, Errno.ECANCELED) : result;
    }

    [SkipLocalsInit]
    private SystemResult<int> ReadNow(Span<UserfaultfdMessage> messages)
    {
        int room = Math.Min(messages.Length, MaximumBatch);
        uffd_msg* batch = stackalloc uffd_msg[MaximumBatch];

        // A fork that waits for this read may be over, and the next one under way, before its message is looked at.
        UserfaultfdOwner? forking = _owner.ForkUnderWay;
        nint bytes = LibC.read(_descriptor.Number, batch, (nuint)(room * sizeof(uffd_msg)));
        if (bytes < 0)
        {
            return new(0, LibC.LastErrno());
        }

        int count = (int)bytes / sizeof(uffd_msg);
        for (int i = 0; i < count; i++)
        {
            messages[i] = Convert(in batch[i], forking);
        }

        return new(count, Errno.None);
    }

    private UserfaultfdMessage Convert(in uffd_msg message, UserfaultfdOwner? forking)
    {
        switch (message.@event)
        {
            case userfaultfd_h.UFFD_EVENT_PAGEFAULT:
                return new()
                {
                    Event = UserfaultfdEvent.PageFault,
                    Flags = (PageFaultFlags)message.pagefault_flags,
                    Address = new(message.pagefault_address),
                    ThreadId = message.pagefault_feat_ptid,
                };
            case userfaultfd_h.UFFD_EVENT_FORK:
                UserfaultfdOwner owner = forking ?? _owner.LatestFork ?? new UserfaultfdOwner(caller: null);
                return new()
                {
                    Event = UserfaultfdEvent.Fork,
                    Forked = new LinuxUserfaultfd((int)message.fork_ufd, Options, Features, owner),
                };
            case userfaultfd_h.UFFD_EVENT_REMAP:
                return new()
                {
                    Event = UserfaultfdEvent.Remap,
                    Address = new(message.remap_from),
                    Range = new(new(message.remap_to), message.remap_len),
                };
            default:
                return new()
                {
                    Event = (UserfaultfdEvent)message.@event,
                    Range = AddressRange.Between(new(message.remove_start), new(message.remove_end)),
                };
        }
    }

    private Errno Ioctl(uint request, void* argument)
    {
        if (!_descriptor.TryEnter())
        {
            return Errno.EBADF;
        }

        int result = LibC.ioctl(_descriptor.Number, request, argument);
        Errno errno = result == -1 ? LibC.LastErrno() : Errno.None;
        _descriptor.Leave();
        return errno;
    }

    // MOVE is refused outside the owner's address space, and a COPY source is looked up in the caller's.
    private Errno IoctlInOwner(uint request, Span<byte> argument)
    {
        SystemCaller? caller = _owner.GetCaller();
        if (caller is null)
        {
            return Errno.EOPNOTSUPP;
        }

        if (!_descriptor.TryEnter())
        {
            return Errno.EBADF;
        }

        long result = caller.InvokeIoctl(_descriptor.Number, request, argument);
        _descriptor.Leave();
        if (result != -(long)Errno.ESRCH)
        {
            return result < 0 ? (Errno)(-result) : Errno.None;
        }

        // Nobody of the owner is left to make the call; the kernel says what it says to others.
        fixed (byte* bytes = argument)
        {
            return Ioctl(request, bytes);
        }
    }
}
