using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>One activity for each load, and none without a listener.</summary>
public abstract class TracesTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Fact(Timeout = 200_000)]
    public async Task Load_WhileSomeoneListens_IsOneActivity()
    {
        await Task.Yield();
        string name = "traced " + Guid.NewGuid();
        TestStore store = new(64 * Page) { AnswersLater = true };
        Pager pager = NewPager(new PagerOptions { LoadBytes = 16384, SequentialWindowBytes = 16384 });
        PagedImage image = pager.OpenImage(store, name);
        TestClient client = NewClient(pager, image);
        using Listening listening = new(name);
        Assert.Equal(store.Expected(5 * Page), client.WordAt(5 * Page));
        Eventually(() => listening.Ended.Count == 1, "the end of the activity");
        Activity load = listening.Ended.Single();
        Assert.Equal("faultline.load", load.OperationName);
        Assert.Equal(4 * (long)Page, load.GetTagItem("faultline.load.offset"));
        Assert.Equal(4 * (long)Page, load.GetTagItem("faultline.load.length"));
        Assert.Equal("ok", load.GetTagItem("faultline.load.outcome"));
        Assert.Equal(nameof(TestStore), load.GetTagItem("faultline.store.type"));
        Assert.Equal(1, load.GetTagItem("faultline.store.attempts"));
        Assert.Null(load.Parent);
        Assert.True(load.Duration > TimeSpan.Zero);

        // Faults that need no load are in no trace.
        Assert.Equal(store.Expected(6 * Page), client.WordAt(6 * Page));
        Assert.Single(listening.Ended);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_ForALease_BelongsToTheTraceOfWhoWantsIt()
    {
        await Task.Yield();
        string name = "traced " + Guid.NewGuid();
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(pager.OpenImage(new TestStore(64 * Page) { AnswersLater = true }, name)));
        using Listening listening = new(name);
        using ActivitySource source = new(PagingTelemetry.ActivitySourceName);
        using Activity request = source.StartActivity("a request")!;
        memory.Read(0, new byte[100]);
        Assert.Same(request, Activity.Current);
        Eventually(() => !listening.Ended.IsEmpty, "the end of the activity");
        Assert.Equal(request.TraceId, listening.Ended.First().TraceId);
        Assert.Equal(request.SpanId, listening.Ended.First().ParentSpanId);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_ImageHasATrace_BelongsToIt()
    {
        await Task.Yield();
        string name = "traced " + Guid.NewGuid();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store, name);
        image.TraceContext = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        TestClient client = NewClient(pager, image);
        using Listening listening = new(name);
        Assert.Equal(store.Expected(0), client.WordAt(0));
        Eventually(() => !listening.Ended.IsEmpty, "the end of the activity");
        Assert.Equal(image.TraceContext.TraceId, listening.Ended.First().TraceId);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(false, "failed")]
    [InlineData(true, "overdue")]
    public async Task Load_StoreFailsOrStalls_EndsWithItsOutcome(bool stalls, string outcome)
    {
        await Task.Yield();
        string name = "traced " + Guid.NewGuid();
        TestStore store = new(64 * Page) { Fails = _ => !stalls, Stalls = _ => stalls };
        Pager pager = NewPager(new PagerOptions { LoadDeadline = TimeSpan.FromMilliseconds(300), TimeProvider = Clock });
        TestClient client = NewClient(pager, pager.OpenImage(store, name));
        using Listening listening = new(name);
        Assert.Equal(AccessFault.BusError, stalls ? WhileTimePasses(() => client.LoadFault(0)) : client.LoadFault(0));
        Eventually(() => !listening.Ended.IsEmpty, "the end of the activity");
        Activity load = listening.Ended.First();
        Assert.Equal(outcome, load.GetTagItem("faultline.load.outcome"));
        Assert.Equal(ActivityStatusCode.Error, load.Status);
        Assert.NotNull(load.StatusDescription);
    }

    [Fact(Timeout = 200_000)]
    public async Task Replay_IsOneActivity_ThatItsLoadsBelongTo()
    {
        string name = "traced " + Guid.NewGuid();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store, name);
        WorkingSet set;
        using (WorkingSetRecorder recorder = image.Record())
        {
            TestClient client = NewClient(pager, image);
            Assert.Equal(store.Expected(9 * Page), client.WordAt(9 * Page));

            // The thread runs on before its touch is noted.
            Eventually(() => recorder.ToWorkingSet().Touches.Count == 1, "the note");
            set = recorder.ToWorkingSet();
        }

        PagedImage other = pager.OpenImage(new TestStore(64 * Page), name);
        using Listening listening = new(name);
        using (WorkingSetReplay replay = other.Replay(set))
        {
            await replay.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        }

        Activity whole = Assert.Single(listening.Ended, static activity => activity.OperationName == "faultline.replay");
        Assert.All(
            listening.Ended.Where(static activity => activity.OperationName == "faultline.load"),
            load => Assert.Equal(whole.SpanId, load.ParentSpanId));
        Assert.Contains(listening.Ended, static activity => activity.OperationName == "faultline.load");
        Assert.True((long)whole.GetTagItem("faultline.replay.pages_loaded")! > 0);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(MemoryOwner.Program)]
    [InlineData(MemoryOwner.Pager)]
    public async Task Snapshot_IsOneActivity_FromFreezingToLettingGo(MemoryOwner owner)
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, MemorySort.Anonymous, 8, owner: owner));
        using ActivitySource source = new(PagingTelemetry.ActivitySourceName);
        ActivityTraceId trace;
        using Listening listening = new(static activity => activity.OperationName == "faultline.snapshot");
        using (Activity request = source.StartActivity("a backup")!)
        {
            trace = request.TraceId;
            using MemorySnapshot snapshot = memory.Freeze();
            Assert.Same(request, Activity.Current);
            memory.Store(3, 1);
            memory.Store(5, 1);
            Assert.True((await snapshot.ReadAsync(0, new byte[Page], TestContext.Current.CancellationToken)).IsOk);
            Assert.DoesNotContain(listening.Ended, activity => activity.TraceId == trace);
        }

        Activity ended = Assert.Single(listening.Ended, activity => activity.TraceId == trace);
        Assert.Equal(8 * (long)Page, ended.GetTagItem("faultline.snapshot.bytes"));
        Assert.Equal(2L, ended.GetTagItem("faultline.snapshot.pages_copied"));
        double seconds = Assert.IsType<double>(ended.GetTagItem("faultline.snapshot.protect_seconds"));
        Assert.InRange(seconds, double.Epsilon, ended.Duration.TotalSeconds);
    }

    [Fact(Timeout = 200_000)]
    public async Task Snapshot_CannotBeTaken_EndsItsActivityToo()
    {
        await Task.Yield();
        TrackedMemory memory = Own(new TrackedMemory(Engine, MemorySort.Anonymous, 8));
        using ActivitySource source = new(PagingTelemetry.ActivitySourceName);
        using Listening listening = new(static activity => activity.OperationName == "faultline.snapshot");
        using Activity request = source.StartActivity("a backup")!;
        using MemorySnapshot first = memory.Freeze();
        Assert.Throws<MemoryEngineException>(() => memory.Freeze());
        Assert.Same(request, Activity.Current);
        Assert.DoesNotContain(listening.Ended, activity => activity.TraceId == request.TraceId && activity.SpanId == request.SpanId);
        first.Dispose();
        Assert.Single(listening.Ended, activity => activity.TraceId == request.TraceId);
    }

    /// <summary>Keeps the activities that a test is about.</summary>
    private sealed class Listening : IDisposable
    {
        private readonly ActivityListener _listener;

        public Listening(string image)
            : this(activity => Equals(activity.GetTagItem("faultline.image.name"), image))
        {
        }

        public Listening(Func<Activity, bool> isWanted)
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = static source => source.Name == PagingTelemetry.ActivitySourceName,
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity =>
                {
                    if (isWanted(activity))
                    {
                        Ended.Enqueue(activity);
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentQueue<Activity> Ended { get; } = [];

        public void Dispose() => _listener.Dispose();
    }
}
