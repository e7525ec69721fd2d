using System;
using System.Collections.Generic;
using Faultline.Verification.Races.Canaries;

namespace Faultline.Verification.Races;

/// <summary>All canaries there are: one for each kind of failure, and more; the last three are of the pager.</summary>
internal static class RaceCanaries
{
    public static IReadOnlyList<Func<RaceCanary>> All { get; } =
    [
        () => new FaultThatForgetsToLookAgain(),
        () => new FaultThatSleepsUnderALock(),
        () => new FaultThatNeverSleeps(),
        () => new InstallThatTakesALockOutOfTurn(),
        () => new InstallThatChecksTheEndTooEarly(),
        () => new CopyThatKeepsItsCharge(),
        () => new HandlerThatProtectsTooLate(),
        () => new EvictionThatTakesALease(),
        () => new LoadThatEndsTwice(),
        () => new ErrorThatWakesNobody(),
    ];
}
