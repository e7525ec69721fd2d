using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races.Canaries;

internal sealed class LoadThatEndsTwice : RaceCanary
{
    public override string Story => "A read of the store ends twice: the pager takes a load for ended that is another one by now.";

    public override ScheduleFailureKind Kind => ScheduleFailureKind.Exception;

    public override void Arrange(RaceBed bed) => new Broken().Arrange(bed);

    private sealed class Broken : PagerRace
    {
        public override string Story => "";

        protected override int Pages => 2;

        protected override RaceStore MakeStore(byte[] contents) => new(contents, fails: false) { AnswersEach = 2, AnswerMs = 0 };

        protected override void Meet(PagerScene scene)
        {
            Load(scene.Access[0], scene.Area, page: 0);
            Load(scene.Access[0], scene.Area, page: 1);
        }
    }
}
