using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>
/// A monitor in the manner of the kernel's self-tests, on a thread of its own: missing pages are copied (page n gets seed n), minor
/// faults continued after their page was changed through the alias, protected pages un-protected; it follows forks, moves and removals.
/// On EEXIST it wakes, on EAGAIN it tries again.
/// </summary>
public sealed class FaultResolver : IDisposable
{
    private readonly Testbed _bed;
    private readonly FaultMonitor _monitor;
    private readonly MappedArea _area;
    private readonly MappedArea? _alias;
    private readonly ConcurrentDictionary<IUserfaultfd, FaultResolver> _children = new();
    private readonly Thread _thread;
    private ulong _moved;
    private volatile bool _stop;
    private volatile Exception? _error;
    private volatile int _missing;
    private volatile int _minor;
    private volatile int _protected;
    private volatile int _events;

    /// <summary>Starts resolving the faults of an area.</summary>
    /// <param name="bed">The bed, which owns the contexts of forked children.</param>
    /// <param name="monitor">The context.</param>
    /// <param name="area">The area.</param>
    /// <param name="alias">Through which cached pages are changed before they are continued.</param>
    public FaultResolver(Testbed bed, FaultMonitor monitor, MappedArea area, MappedArea? alias = null)
    {
        _bed = bed;
        _monitor = monitor;
        _area = area;
        _alias = alias;
        _thread = new Thread(Run) { IsBackground = true, Name = "fault resolver" };
        _thread.Start();
    }

    /// <summary>Write-protect faults resolved so far.</summary>
    public int WriteProtected => _protected;

    /// <summary>The resolver of a child that was forked.</summary>
    public FaultResolver Child => Assert.Single(_children).Value;

    /// <summary>Waits until exactly so many faults have been resolved and events been read; the counts may lag behind the threads they set free.</summary>
    public void ExpectCounts(int missing = 0, int minor = 0, int writeProtected = 0, int events = 0)
    {
        (int, int, int, int) expected = (missing, minor, writeProtected, events);
        Testbed.TryUntil(() => _error is not null || (_missing, _minor, _protected, _events) == expected);
        AssertNoError();
        Assert.Equal(expected, (_missing, _minor, _protected, _events));
    }

    /// <summary>Fails if resolving failed.</summary>
    public void AssertNoError() => Assert.Null(_error);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _thread.Join(Deadline.Normal);
        foreach (FaultResolver child in _children.Values)
        {
            child.Dispose();
        }
    }

    private void Run()
    {
        using IUserfaultfdPoller poller = _bed.Engine.CreatePoller();
        var messages = new UserfaultfdMessage[8];
        long[] ready = new long[1];
        try
        {
            Expect.Ok(poller.Add(_monitor.Uffd, tag: 1));
            while (!_stop)
            {
                Expect.Ok(poller.Wait(ready, timeoutMs: 5));
                SystemResult<int> read = _monitor.Uffd.Read(messages);
                for (int index = 0; index < (read.IsOk ? read.Value : 0); index++)
                {
                    Resolve(messages[index]);
                }
            }

            poller.Remove(_monitor.Uffd);
        }
#pragma warning disable CA1031 // The case asks for the error.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _error = error;
        }
    }

    private void Resolve(UserfaultfdMessage message)
    {
        switch (message.Event)
        {
            case UserfaultfdEvent.PageFault:
                ResolveFault(message);
                return;
            case UserfaultfdEvent.Fork:
                _children[message.Forked!] = new FaultResolver(_bed, _bed.Own(new FaultMonitor(_bed.Engine, message.Forked!)), _area);
                break;
            case UserfaultfdEvent.Remap:
                _moved = message.Range.Start - message.Address;
                break;
            default:
                break;
        }

        _events++;
    }

    private void ResolveFault(UserfaultfdMessage message)
    {
        AddressRange page = new(message.Address.AlignDown(_area.PageBytes), _area.PageBytes);
        VirtualAddress home = _area.Range.Contains(page.Start) ? page.Start : page.Start - _moved;
        ulong index = (home - _area.Range.Start) / _area.PageBytes;
        if (message.Kind == PageFaultKind.WriteProtect)
        {
            Expect.Ok(_monitor.Retry(uffd => uffd.WriteProtect(page, WriteProtectModes.None)));
            _protected++;
            return;
        }

        if (message.Kind == PageFaultKind.Minor && _alias is not null)
        {
            _bed.WriteBytes(_alias.At((int)index), [.. Pattern.Bytes(_area.PageBytes, index).Select(value => (byte)~value)]);
        }

        FillResult result = message.Kind == PageFaultKind.Minor
            ? _monitor.Retry(uffd => uffd.Continue(page))
            : _monitor.Retry(uffd => uffd.Copy(page.Start, Pattern.Bytes(page.Length, index)));
        if (result.Errno == Errno.EEXIST)
        {
            Expect.Ok(_monitor.Uffd.Wake(page));
            return;
        }

        Expect.Filled(result, page.Length);
        if (message.Kind == PageFaultKind.Minor)
        {
            _minor++;
        }
        else
        {
            _missing++;
        }
    }
}
