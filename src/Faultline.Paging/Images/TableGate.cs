using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Who is using an image's file at this moment, and whether anybody still may. A user counts himself first and looks for the end then; whoever ends it
/// does so first, and waits for the users then.
/// </summary>
internal sealed class TableGate
{
    /// <summary>What <see cref="_users"/> is to a scheduler; <see cref="_closedBy"/> is place zero.</summary>
    private const int UsersPlace = 1;

    /// <summary>Why nothing is loaded any more, or null. Set once, under the table's lock.</summary>
    private Exception? _closedBy;

    /// <summary>Guard: atomic.</summary>
    private int _users;

    /// <summary>Why nothing is loaded any more, or null.</summary>
    public Exception? ClosedBy
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _closedBy);
        }
    }

    /// <summary>Whether someone is between <see cref="TryEnter"/> and <see cref="Exit"/>.</summary>
    public bool HasUsers
    {
        get
        {
            Seam.Touch(this, TouchKind.Read, UsersPlace);
            return Volatile.Read(ref _users) != 0;
        }
    }

    /// <summary>Lets nobody in any more. Under the table's lock; the first cause stays.</summary>
    public void Close(Exception cause)
    {
        Seam.Touch(this, TouchKind.Write);

        // A full barrier: whoever ends it looks for users next.
        Interlocked.CompareExchange(ref _closedBy, cause, null);
    }

    /// <summary>Keeps the image's file open until <see cref="Exit"/>; false if the table is closed.</summary>
    public bool TryEnter()
    {
        Seam.Touch(this, TouchKind.Add, UsersPlace);
        Interlocked.Increment(ref _users);
        if (ClosedBy is null)
        {
            return true;
        }

        Exit();
        return false;
    }

    public void Exit()
    {
        Seam.Touch(this, TouchKind.Add, UsersPlace);
        Interlocked.Decrement(ref _users);
    }
}
