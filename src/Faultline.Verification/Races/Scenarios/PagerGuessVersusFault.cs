using System;
using Faultline.Paging;

namespace Faultline.Verification.Races.Scenarios;

internal sealed class PagerGuessVersusFault : PagerRace
{
    public override string Story => "A page is guessed and then wanted while the guess is read, or before, or after: the fault gets its bytes, and does not wait for ever.";

    protected override int Pages => 4;

    protected override PagerOptions Configure(PagerOptions smallest) =>
        smallest with { Prefetch = new PrefetchOptions { LoadsAtOnce = 4, AheadBytes = (int)PageSize.Small, LeastLatency = TimeSpan.Zero } };

    // A store that takes a while is one to guess for.
    protected override void Prepare(PagerScene scene)
    {
        scene.Store.AnswerMs = 1;
        Load(scene.Access[0], scene.Area, page: 0);
        Load(scene.Access[0], scene.Area, page: 1);
        scene.Store.AnswerMs = 0;
    }

    protected override void Meet(PagerScene scene)
    {
        Load(scene.Access[0], scene.Area, page: 2);
        Load(scene.Access[0], scene.Area, page: 3);
    }
}
