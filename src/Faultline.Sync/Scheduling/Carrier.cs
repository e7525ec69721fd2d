using System;
using System.Collections.Concurrent;
using System.Threading;

namespace Faultline.Sync.Scheduling;

#pragma warning disable CA1001 // Its thread never ends, and never lets go of the baton.
/// <summary>A thread of the operating system that carries threads of schedules, one after the other: starting one costs more than a short schedule.</summary>
internal sealed class Carrier
#pragma warning restore CA1001
{
    private static readonly ConcurrentBag<Carrier> Idle = [];

    private readonly Parker _baton = new();

    private Action? _job;

    private Carrier() => new Thread(Carry) { IsBackground = true, Name = "schedule carrier" }.Start();

    public static Carrier Rent() => Idle.TryTake(out Carrier? carrier) ? carrier : new Carrier();

    /// <summary>Gives it something to do, once <see cref="Go"/> is called.</summary>
    public void Load(Action job) => _job = job;

    public void Go() => _baton.UnparkUnscheduled();

    public void AwaitTurn() => _baton.ParkUnscheduled(Timeout.Infinite);

    /// <summary>Takes it back: nobody will call <see cref="Go"/> for its last job any more, and the job has ended.</summary>
    public void Return()
    {
        _job = null;
        Idle.Add(this);
    }

    private void Carry()
    {
        while (true)
        {
            AwaitTurn();
            _job!();
        }
    }
}
