using System;

namespace Faultline.Paging.Tests;

/// <summary>A clock that stands still: what is ordered by it must not rely on it.</summary>
public sealed class StoppedClock : TimeProvider
{
    public override long GetTimestamp() => 1_000_000;
}
