using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What was touched once is brought ahead the next time: right, complete, and never in the way.</summary>
public abstract class WorkingSetTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const int Pages = 1024;

    private static readonly int[] Touched = [.. Scattered(200)];

    [Fact(Timeout = 200_000)]
    public async Task Record_Leases_AreTouches()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager(new PagerOptions { LoadBytes = 16384, SequentialWindowBytes = 16384, NeighbourPages = 1 });
        PagedImage image = pager.OpenImage(store);
        PagedMemory memory = Own(pager.Map(image));
        using WorkingSetRecorder recorder = image.Record();
        memory.Write(40 * Page, new byte[2 * Page]);
        memory.Read((5 * Page) + 7, new byte[Page]);
        memory.Read((5 * Page) + 7, new byte[Page]);
        Assert.Equal(
            [new PageTouch(40, 2, PageFaultKind.Missing, IsWrite: true), new PageTouch(5, 2, PageFaultKind.Missing, IsWrite: false)],
            recorder.ToWorkingSet().Touches);
    }

    [Fact(Timeout = 200_000)]
    public async Task Replay_OfARecordedRun_LeavesAlmostNoFaults()
    {
        await Task.Yield();
        WorkingSet set = Record();
        Assert.InRange(Touched[0], set.Touches[0].Page, set.Touches[0].Page + set.Touches[0].Count - 1);
        Pager pager = NewPager();
        TestStore store = NewStore();
        PagedImage image = pager.OpenImage(store);
        TestClient early = NewClient(pager, image);
        WorkingSetReplay replay = Own(image.Replay(set));
        await replay.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        long inEarly = replay.PagesInstalled;
        TestClient late = NewClient(pager, image);
        Eventually(() => replay.PagesInstalled >= 2 * inEarly, "the pages in the second client");
        foreach (TestClient client in new[] { early, late })
        {
            ReadAll(client, store);
            PagerStatistics statistics = client.Paged.GetStatistics();
            Assert.True(statistics.Faults * 20 <= Touched.Length, $"{statistics.Faults} faults of {Touched.Length}.");
        }

        Assert.True(replay.PagesLoaded >= Touched.Length);
        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Replay_WhileTheClientRuns_ReadsRight()
    {
        WorkingSet set = Record();
        Pager pager = NewPager();
        TestStore store = NewStore();
        store.AnswersLater = true;
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        WorkingSetReplay replay = Own(image.Replay(set, readsAtOnce: 3));
        ReadAll(client, store);
        await replay.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Replay_StoreFails_LeavesThePageToItsFault()
    {
        WorkingSet set = Record();
        Pager pager = NewPager();
        TestStore store = NewStore();
        store.Fails = static _ => true;
        PagedImage image = pager.OpenImage(store);
        WorkingSetReplay replay = Own(image.Replay(set));
        await replay.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(0, replay.PagesLoaded);
        store.Fails = static _ => false;
        ReadAll(NewClient(pager, image), store);
    }

    [Fact(Timeout = 200_000)]
    public async Task Replay_WithinABudget_StopsBeforeItIsFull()
    {
        await Task.Yield();
        Pager pager = NewPager(new PagerOptions { BudgetBytes = 256 * Page, LoadBytes = 16 << 10, SequentialWindowBytes = 16 << 10 });
        PagedImage image = pager.OpenImage(NewStore());
        WorkingSet parts = new(Pages * Page, [.. Enumerable.Range(0, Pages / 4).Select(static part => new PageTouch(part * 4, 4, default, IsWrite: false))]);
        WorkingSetReplay replay = Own(image.Replay(parts));
        await replay.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.InRange(image.GetStatistics().CachedPages, 150, 256);
        Assert.Equal(0, image.GetStatistics().PagesEvicted);
    }

    [Fact]
    public void Replay_ImageOfAnotherLength_Throws()
    {
        PagedImage image = NewPager().OpenImage(NewStore());
        Assert.Throws<ArgumentException>(() => image.Replay(new WorkingSet(Page, [])));
        using WorkingSetRecorder first = image.Record();
        Assert.Throws<InvalidOperationException>(image.Record);
    }

    [Fact]
    public void Save_ThenLoad_IsTheSame()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            PageTouch[] touches = [new(5, 2, PageFaultKind.Missing, IsWrite: true), new(0, 1, PageFaultKind.Minor, IsWrite: false)];
            WorkingSet set = new(7 * Page, touches);
            set.Save(path);
            var loaded = WorkingSet.Load(path);
            Assert.Equal(set.ImageBytes, loaded.ImageBytes);
            Assert.Equal(set.Touches, loaded.Touches);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{"format":"something","version":1,"imageBytes":4096,"touches":[]}""")]
    [InlineData("""{"format":"faultline working set","version":2,"imageBytes":4096,"touches":[]}""")]
    [InlineData("""{"format":"faultline working set","version":1,"imageBytes":4096,"touches":[[0,1]]}""")]
    [InlineData("""{"format":"faultline working set","version":1,"imageBytes":4096,"touches":[[0,2,0,0]]}""")]
    [InlineData("""{"format":"faultline working set","version":1,"imageBytes":4096,"touches":[[-1,1,0,0]]}""")]
    [InlineData("""{"format":"faultline working set","version":1,"imageBytes":4096,"touches":[[0,1,9,0]]}""")]
    [InlineData("""{"format":"faultline working set","version":1,"imageBytes":4096,"touches":[null]}""")]
    public void Load_SomethingElse_SaysSo(string text)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            File.WriteAllText(path, text);
            Assert.Throws<InvalidDataException>(() => WorkingSet.Load(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static IEnumerable<int> Scattered(int count)
    {
        var random = new Random(5);
        return Enumerable.Range(0, Pages).OrderBy(_ => random.Next()).Take(count);
    }

    private static TestStore NewStore() => new(Pages * Page) { IsZeroPage = static page => page % 7 == 3 };

    private static void ReadAll(TestClient client, TestStore store)
    {
        foreach (int page in Touched)
        {
            Assert.Equal(store.Expected((ulong)page * Page), client.WordAt((ulong)page * Page));
        }
    }

    private WorkingSet Record()
    {
        using Pager pager = new(Engine);
        TestStore store = NewStore();
        PagedImage image = pager.OpenImage(store);
        using WorkingSetRecorder recorder = image.Record();
        TestClient client = NewClient(pager, image);
        ReadAll(client, store);
        return recorder.ToWorkingSet();
    }
}
