using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>Watches memory that nobody else has registered: with a userfaultfd and a thread of its own.</summary>
internal sealed class OwnWatch : WatchHost
{
    private const int MessagesAtOnce = 32;

    private const UserfaultfdFeatures Features =
        UserfaultfdFeatures.PageFaultFlagWriteProtect | UserfaultfdFeatures.WriteProtectHugetlbfsShmem | UserfaultfdFeatures.WriteProtectUnpopulated;

    private readonly IUserfaultfd _context;
    private readonly IUserfaultfdPoller _poller;
    private readonly WriteWatch _watch;
    private readonly SeamThread _handler;
    private Errno _failure;

    private OwnWatch(IMemoryEngine engine, IAddressSpace space, IUserfaultfd context, AddressRange range, ulong pageBytes)
    {
        _context = context;
        Engine = engine;
        Space = space;
        _watch = new WriteWatch(context, range, pageBytes, new WriteLeases());
        _poller = engine.CreatePoller();
        try
        {
            _poller.Add(context, 0).OrThrow("poller add", range);
            _handler = Seam.Start("faultline write watch", Handle);
        }
        catch
        {
            _poller.Dispose();
            throw;
        }
    }

    public override WriteWatch Watch => _watch;

    public override Errno Failure => _failure;

    public IMemoryEngine Engine { get; }

    public IAddressSpace Space { get; }

    /// <exception cref="MemoryEngineException">EPERM, EINVAL, EBUSY (registered with another userfaultfd), ENOMEM.</exception>
    public static OwnWatch Open(IMemoryEngine engine, IAddressSpace space, AddressRange range)
    {
        IUserfaultfd context = Register(space, range, Features, out ulong pageBytes);
        try
        {
            return new OwnWatch(engine, space, context, range, pageBytes);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Opens a context for write-protection alone.</summary>
    public static IUserfaultfd Register(IAddressSpace space, AddressRange range, UserfaultfdFeatures features, out ulong pageBytes)
    {
        IUserfaultfd context = UserfaultfdHandshake.Open(space, Features | features).OrThrow("userfaultfd", range);
        try
        {
            RegisterResult registered = context.Register(range, RegisterModes.WriteProtect);
            new SystemResult(registered.Errno).OrThrow("UFFDIO_REGISTER", range);

            // Where one of the mappings is hugetlb, and only there, REGISTER does not offer ZEROPAGE.
            pageBytes = (registered.Ioctls & UserfaultfdIoctls.Zeropage) != 0 ? PageSize.Small : PageSize.Huge;
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    protected override void Close()
    {
        _poller.Stop();
        _handler.Join();
        _poller.Dispose();

        // Ends the registration: the protection goes, and a writer that waits tries again.
        _context.Dispose();
    }

    private void Handle()
    {
        long[] ready = new long[1];
        var messages = new UserfaultfdMessage[MessagesAtOnce];
        while (_poller.Wait(ready, Timeout.Infinite) is { Errno: not Errno.ECANCELED })
        {
            SystemResult<int> read = _context.Read(messages);
            if (read.IsOk)
            {
                Admit(messages.AsSpan(0, read.Value));
            }
            else if (read.Errno is not (Errno.EAGAIN or Errno.EINTR))
            {
                _failure = read.Errno;
                return;
            }
        }
    }

    private void Admit(ReadOnlySpan<UserfaultfdMessage> messages)
    {
        foreach (UserfaultfdMessage message in messages)
        {
            if (message.Event != UserfaultfdEvent.PageFault || !_watch.Range.Contains(message.Address))
            {
                continue;
            }

            // An answer other than success means that the page is no longer there to be written; its writer is woken all the same.
            int page = _watch.PageOf(message.Address);
            AddressRange addresses = _watch.AddressesOf(page);
            if (_watch.Admit(page, addresses) != Errno.None)
            {
                _context.Wake(addresses);
            }
        }
    }
}
