using System;
using System.Threading;

namespace Faultline.Bench;

/// <summary>The .NET counterpart of <c>handler.c</c>: read a message, install the page, nothing else, through the public contract.</summary>
internal sealed unsafe class DotnetHandler
{
    private const int MessagesPerRead = 16;
    private const long PollTag = 1;

    private readonly RoundSpec _spec;
    private readonly AddressRange _area;
    private readonly IUserfaultfd _context;
    private readonly IUserfaultfdPoller? _poller;
    private readonly AddressRange _sourcePage;
    private readonly UserfaultfdMessage[] _messages = new UserfaultfdMessage[MessagesPerRead];
    private readonly long[] _ready = new long[1];
    private readonly Thread _thread;
    private string? _failure;
    private long _faults;
    private long _allocatedBytes;

    /// <summary>Starts a handler thread for a registered area.</summary>
    public DotnetHandler(RoundSpec spec, AddressRange area, IUserfaultfd context, IUserfaultfdPoller? poller, AddressRange sourcePage)
    {
        _spec = spec;
        _area = area;
        _context = context;
        _poller = poller;
        _sourcePage = sourcePage;
        _thread = new Thread(Serve) { IsBackground = true, Name = "bench handler" };
        poller?.Add(context, PollTag).OrThrow("epoll_ctl");
        _thread.Start();
    }

    /// <summary>The faults read.</summary>
    public long Faults => _faults;

    /// <summary>The managed bytes the thread allocated after its first fault, up to its last. The first one makes the thread's own statics.</summary>
    public long AllocatedBytes => _allocatedBytes;

    /// <summary>Waits until all pages are installed.</summary>
    /// <exception cref="BenchmarkException">A call failed, or the deadline passed.</exception>
    public void Finish(TimeSpan deadline)
    {
        if (!_thread.Join(deadline))
        {
            throw new BenchmarkException($"The .NET handler did not finish its round in {deadline.TotalSeconds:0} seconds.");
        }

        if (_failure is not null)
        {
            throw new BenchmarkException(_failure);
        }
    }

    private void Serve()
    {
        try
        {
            NativeSymbols.PinCurrentThread(_spec.Placement.HandlerCpu);
            int done = ServeOnce();
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (done < _spec.Pages)
            {
                done += ServeOnce();
            }

            _allocatedBytes = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        catch (Exception failure) when (failure is BenchmarkException or MemoryEngineException)
        {
            _failure = failure.Message;
        }
    }

    // A method of its own, so that the runtime optimises it for good after the warm-up rounds.
    private int ServeOnce()
    {
        if (_poller is not null && _poller.Wait(_ready, -1).OrThrow("epoll_wait") == 0)
        {
            return 0;
        }

        SystemResult<int> read = _context.Read(_messages);
        if (read.Errno == Errno.EAGAIN)
        {
            return 0;
        }

        int count = read.OrThrow("read");
        int done = 0;
        for (int i = 0; i < count; i++)
        {
            _faults++;
            done += Resolve(_messages[i].Address);
        }

        return done;
    }

    private int Resolve(VirtualAddress address)
    {
        if (_spec.Kind == RoundKind.Copy)
        {
            return Installed("UFFDIO_COPY", _context.Copy(address, new ReadOnlySpan<byte>((void*)_sourcePage.Start.Value, (int)_sourcePage.Length)), address);
        }

        ulong length = Math.Min((ulong)_spec.Range * PageSize.Small, _area.End - address);
        return Installed("UFFDIO_CONTINUE", _context.Continue(new AddressRange(address, length)), address);
    }

    private int Installed(string call, FillResult result, VirtualAddress address)
    {
        if (result.IsOk || result.IsPartial)
        {
            return (int)(result.BytesDone / PageSize.Small);
        }

        var page = new AddressRange(address, PageSize.Small);
        if (result.Errno != Errno.EEXIST)
        {
            throw new MemoryEngineException(call, page, result.Errno);
        }

        _context.Wake(page).OrThrow("UFFDIO_WAKE", page);
        return 0;
    }
}
