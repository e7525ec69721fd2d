using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Stores;

/// <summary>Is signalled when none of a group of callers waits any more.</summary>
internal sealed class GroupCancellation : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<CancellationTokenRegistration> _registrations = [];
    private int _left;

    public GroupCancellation(IReadOnlyCollection<WaitingRead> group)
    {
        _left = group.Count;
        foreach (WaitingRead read in group)
        {
            _registrations.Add(read.Cancellation.UnsafeRegister(static self => ((GroupCancellation)self!).Leave(), this));
        }
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        // Waits for callbacks that run at this moment: afterwards nobody signals.
        foreach (CancellationTokenRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _source.Cancel();
        }
    }
}
