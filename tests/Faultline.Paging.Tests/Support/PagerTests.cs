using System;
using System.Collections.Generic;
using System.Diagnostics;
using Faultline.Sync;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What every suite of the pager needs. An engine is a leaf of each suite.</summary>
public abstract class PagerTests : IDisposable
{
    public const ulong Page = PageSize.Small;

    /// <summary>No wait in these suites is longer.</summary>
    protected static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly List<IDisposable> _owned = [];

    protected PagerTests(IMemoryEngine engine)
    {
        Engine = engine;
    }

    protected IMemoryEngine Engine { get; }

    /// <summary>A clock for the pagers of a test that is about deadlines, or to which one could happen.</summary>
    protected TestClock Clock { get; } = new();

    /// <summary>The features most clients ask for: nothing that changes behaviour.</summary>
    protected static UserfaultfdFeatures Plain => UserfaultfdFeatures.MissingShmem | UserfaultfdFeatures.MinorShmem | UserfaultfdFeatures.Poison;

    protected static UserfaultfdFeatures Events =>
        Plain | UserfaultfdFeatures.EventRemove | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap | UserfaultfdFeatures.EventFork;

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        Engine.Dispose();
        GC.SuppressFinalize(this);
    }

    protected Pager NewPager(PagerOptions? options = null) => Own(new Pager(Engine, options));

    /// <summary>Does something that ends when a deadline has passed, for which the clock is put forward.</summary>
    protected T WhileTimePasses<T>(Func<T> work)
    {
        double before = Clock.Speed;
        Clock.Speed = 100;
        try
        {
            return work();
        }
        finally
        {
            Clock.Speed = before;
        }
    }

    protected T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    /// <summary>A client in an address space of its own that maps the whole image.</summary>
    protected TestClient NewClient(Pager pager, PagedImage image, RegionKind kind = RegionKind.PrivateImage, UserfaultfdFeatures? features = null)
    {
        Assert.SkipUnless(Engine.Capabilities.ManyAddressSpaces.IsAvailable, Engine.Capabilities.ManyAddressSpaces.Reason);
        IAddressSpace space = Engine.CreateAddressSpace().OrThrow("an address space");
        ulong length = image.MappedLength;
        MapRequest request = kind switch
        {
            RegionKind.PrivateImage => MapRequest.PrivateFile(image.File, length),
            RegionKind.SharedImage => MapRequest.SharedFile(image.File, length),
            _ => MapRequest.PrivateAnonymous(length),
        };
        AddressRange range = new(space.Map(in request).OrThrow("mmap"), length);
        return NewClient(pager, space, range, image, kind, features);
    }

    protected TestClient NewClient(
        Pager pager,
        IAddressSpace space,
        AddressRange range,
        PagedImage image,
        RegionKind kind,
        UserfaultfdFeatures? features = null,
        ulong pageBytes = PageSize.Small)
    {
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        IUserfaultfd context = UserfaultfdHandshake.Open(space, features ?? Plain).OrThrow("userfaultfd");
        PagerClient paged = pager.Attach(context, $"client {_owned.Count}");
        TestClient client = Own(new TestClient(space, context, range, paged));
        paged.AddRegion(range, image, 0, kind, pageBytes);
        return client;
    }

    /// <summary>Waits for something that happens on another thread.</summary>
    protected static void Eventually(Func<bool> condition, string what)
    {
        using Parker pause = new();
        long begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Deadline, $"{what} did not happen within {Deadline}.");
            pause.Park(2);
        }
    }

    protected static void Pause(int milliseconds)
    {
        using Parker pause = new();
        pause.Park(milliseconds);
    }
}
