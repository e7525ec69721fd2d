using System.Collections.Generic;
using Faultline.Verification.Races.Scenarios;

namespace Faultline.Verification.Races;

/// <summary>All races there are.</summary>
internal static class RaceScenarios
{
    public static IReadOnlyList<RaceScenario> All { get; } =
    [
        new CloseVersusFault(),
        new ContinueVersusFork(),
        new ContinueVersusPunch(),
        new ContinueVersusSwapOut(),
        new ContinueVersusTruncate(),
        new ContinueVersusUnmap(),
        new CopyVersusClose(),
        new CopyVersusCopy(),
        new CopyVersusMremap(),
        new CopyVersusTruncate(),
        new CopyVersusZap(),
        new ForkEventVersusClose(),
        new ForkEventVersusRead(),
        new ForkVersusStore(),
        new InterruptVersusWake(),
        new KillVersusFault(),
        new MoveVersusStore(),
        new PagerFaultVersusDispose(),
        new PagerFaultVersusEviction(),
        new PagerFaultVersusKill(),
        new PagerFaultVersusRemove(),
        new PagerFaultVersusStoreFailure(),
        new PagerTwoFaultsOnePage(),
        new PoisonVersusFault(),
        new PollVersusFault(),
        new PrivateCopyVersusTruncate(),
        new ProtectVersusFault(),
        new ProtectVersusStore(),
        new PunchVersusLoad(),
        new RegisterVersusFault(),
        new RemoveEventVersusCopy(),
        new SwapInVersusSwapIn(),
        new SwapOutVersusStore(),
        new TruncateVersusSwapOut(),
        new TwoClonesOnePunch(),
        new TwoHandlersOneContext(),
        new UnmapEventVersusContinue(),
        new UnmapVersusLoad(),
        new UnprotectVersusWrite(),
        new UnregisterVersusFault(),
        new WakeVersusSleep(),
        new WriteProtectVersusWrite(),
        new ZeropageVersusWrite(),
    ];
}
