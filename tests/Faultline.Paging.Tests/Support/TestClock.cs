using System;
using System.Threading;

namespace Faultline.Paging.Tests;

/// <summary>
/// A clock that stands still until it is told to go on. A pager's deadlines then pass when the test says so, and never because the machine is busy. It has
/// to be past a deadline by an eighth of it: the pager looks that often.
/// </summary>
public sealed class TestClock : TimeProvider
{
    private readonly Lock _lock = new();
    private long _passed;
    private double _speed;
    private long _since;

    /// <summary>How many times as fast as others it goes; 0 if it stands.</summary>
    public double Speed
    {
        get
        {
            lock (_lock)
            {
                return _speed;
            }
        }

        set
        {
            lock (_lock)
            {
                _passed = Now();
                _since = System.GetTimestamp();
                _speed = value;
            }
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return Now();
        }
    }

    /// <summary>Lets time pass at once.</summary>
    public void Pass(TimeSpan time)
    {
        lock (_lock)
        {
            _passed += (long)(time.TotalSeconds * TimestampFrequency);
        }
    }

    private long Now() => _passed + (long)(_speed * (System.GetTimestamp() - _since));
}
