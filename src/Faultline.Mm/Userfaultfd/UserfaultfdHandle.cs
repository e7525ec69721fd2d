using System;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The descriptor of a userfaultfd: keeps the context while calls are inside, and lets it go with the last of them (Linux: the file).
/// </summary>
internal sealed class UserfaultfdHandle : IUserfaultfd
{
    /// <summary>Set in <see cref="_state"/> by disposal; the rest counts the calls that are inside.</summary>
    private const int Closing = 1 << 30;

    /// <summary>Set in <see cref="_state"/> by whoever lets the context go.</summary>
    private const int Released = 1 << 29;

    private readonly ISourceMemory _memory;
    private int _state;

    public UserfaultfdHandle(UserfaultfdContext context, ISourceMemory memory)
    {
        Context = context;
        _memory = memory;
    }

    public UserfaultfdContext Context { get; }

    public UserfaultfdOptions Options => Context.Options;

    public UserfaultfdFeatures Features => Context.Features;

    private bool IsClosing
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return (Volatile.Read(ref _state) & Closing) != 0;
        }
    }

    public SystemResult<UserfaultfdCounts> GetCounts()
    {
        if (!TryEnter())
        {
            return new(default, Errno.EBADF);
        }

        UserfaultfdCounts counts = Context.Counts;
        Leave();
        return new(counts, Errno.None);
    }

    public SystemResult<UserfaultfdApi> Handshake(UserfaultfdFeatures features, ulong api = UserfaultfdApi.Version)
    {
        if (!TryEnter())
        {
            return new(default, Errno.EBADF);
        }

        SystemResult<UserfaultfdApi> result = UserfaultfdApiCall.Run(Context, features, api);
        Leave();
        return result;
    }

    public RegisterResult Register(AddressRange range, RegisterModes modes)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return new(errno, UserfaultfdIoctls.None);
        }

        RegisterResult result = UserfaultfdRegister.Register(Context, range, modes);
        Leave();
        return result;
    }

    public SystemResult Unregister(AddressRange range)
    {
        Errno errno = EnterInitialized();
        if (errno == Errno.None)
        {
            errno = UserfaultfdRegister.Unregister(Context, range);
            Leave();
        }

        return new(errno);
    }

    public SystemResult Wake(AddressRange range)
    {
        Errno errno = EnterInitialized();
        if (errno == Errno.None)
        {
            bool isValid = RangeCheck.IsValid(range.Start.Value, range.Length);
            if (isValid)
            {
                Context.Wake(range.Start.Value, range.Length);
            }

            errno = isValid ? Errno.None : Errno.EINVAL;
            Leave();
        }

        return new(errno);
    }

    public FillResult Copy(VirtualAddress target, ReadOnlySpan<byte> source, FillModes modes = FillModes.None)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return FillOutcome.Refused(errno);
        }

        FillResult result = UserfaultfdCopy.Run(Context, target.Value, source, modes);
        Leave();
        return result;
    }

    public FillResult Copy(AddressRange target, VirtualAddress source, FillModes modes = FillModes.None)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return FillOutcome.Refused(errno);
        }

        FillResult result = UserfaultfdCopy.Run(Context, target, source.Value, modes, _memory);
        Leave();
        return result;
    }

    public FillResult Zeropage(AddressRange range, FillModes modes = FillModes.None)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return FillOutcome.Refused(errno);
        }

        FillResult result = UserfaultfdZeropage.Run(Context, range, modes);
        Leave();
        return result;
    }

    public FillResult Continue(AddressRange range, FillModes modes = FillModes.None)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return FillOutcome.Refused(errno);
        }

        FillResult result = UserfaultfdContinue.Run(Context, range, modes);
        Leave();
        return result;
    }

    public FillResult Poison(AddressRange range, FillModes modes = FillModes.None)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return FillOutcome.Refused(errno);
        }

        FillResult result = UserfaultfdPoison.Run(Context, range, modes);
        Leave();
        return result;
    }

    public FillResult Move(VirtualAddress target, VirtualAddress source, ulong length, MoveModes modes = MoveModes.None)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return FillOutcome.Refused(errno);
        }

        FillResult result = UserfaultfdMove.Run(Context, target.Value, source.Value, length, modes);
        Leave();
        return result;
    }

    public SystemResult WriteProtect(AddressRange range, WriteProtectModes modes)
    {
        Errno errno = EnterInitialized();
        if (errno == Errno.None)
        {
            errno = UserfaultfdWriteProtect.Run(Context, range, modes);
            Leave();
        }

        return new(errno);
    }

    public SystemResult<int> Read(Span<UserfaultfdMessage> messages)
    {
        Errno errno = EnterInitialized();
        if (errno != Errno.None)
        {
            return new(0, errno);
        }

        int count = 0;
        if (messages.Length == 0)
        {
            errno = Errno.EINVAL;
        }
        else
        {
            count = TakeAll(messages);
            if (count == 0)
            {
                errno = Context.IsNonBlocking ? Errno.EAGAIN : WaitAndTake(messages, out count);
            }
        }

        Leave();
        return new(count, errno);
    }

    public void Dispose()
    {
        Seam.Touch(this, TouchKind.Write);
        int seen = Interlocked.Or(ref _state, Closing);
        if ((seen & Closing) != 0)
        {
            return;
        }

        Context.WakeReaders();
        ReleaseIfLast();
    }

    private int TakeAll(Span<UserfaultfdMessage> messages)
    {
        int count = 0;
        while (count < messages.Length && Context.TryTake(out UserfaultfdMessage message, out UserfaultfdContext? forked))
        {
            messages[count++] = forked is null ? message : message with { Forked = new UserfaultfdHandle(forked, _memory) };
        }

        return count;
    }

    private Errno WaitAndTake(Span<UserfaultfdMessage> messages, out int count)
    {
        Parker parker = PerThread.Get<UserfaultfdHandle, Parker>();
        count = 0;
        while (true)
        {
            if (Context.TryAddReader(parker))
            {
                // Looked at after we are known: a disposal either finds us, or is seen here.
                if (!IsClosing)
                {
                    parker.Park();
                }

                Context.RemoveReader(parker);
            }

            if (IsClosing)
            {
                return Errno.ECANCELED;
            }

            count = TakeAll(messages);
            if (count > 0)
            {
                return Errno.None;
            }
        }
    }

    private Errno EnterInitialized()
    {
        if (!TryEnter())
        {
            return Errno.EBADF;
        }

        if (Context.IsInitialized)
        {
            return Errno.None;
        }

        Leave();
        return Errno.EINVAL;
    }

    private bool TryEnter()
    {
        Seam.Touch(this, TouchKind.Add);
        if ((Interlocked.Increment(ref _state) & Closing) == 0)
        {
            return true;
        }

        Leave();
        return false;
    }

    private void Leave()
    {
        Seam.Touch(this, TouchKind.Add);
        if (Interlocked.Decrement(ref _state) == Closing)
        {
            ReleaseIfLast();
        }
    }

    /// <summary>Closing, and nobody inside: whoever first marks that lets the context go.</summary>
    private void ReleaseIfLast()
    {
        if (Interlocked.CompareExchange(ref _state, Closing | Released, Closing) == Closing)
        {
            UserfaultfdRegister.Release(Context);
        }
    }
}
