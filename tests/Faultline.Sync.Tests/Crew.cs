using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Sync.Tests;

/// <summary>Threads that begin together and must end before a deadline.</summary>
internal static class Crew
{
    public const int DeadlineMs = 60_000;

    public static void Run(params Action[] bodies)
    {
        ConcurrentQueue<Exception> thrown = new();
        using Barrier start = new(bodies.Length);
        Thread[] threads = [.. bodies.Select(body => new Thread(() => Guarded(body, start, thrown)) { IsBackground = true })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(DeadlineMs), "A thread did not end: it sleeps, and the wake for it was lost.");
        }

        Assert.Empty(thrown);
    }

    private static void Guarded(Action body, Barrier start, ConcurrentQueue<Exception> thrown)
    {
        try
        {
            Assert.True(start.SignalAndWait(DeadlineMs), "Not all threads began.");
            body();
        }
        catch (Exception exception)
        {
            thrown.Enqueue(exception);
        }
    }
}
