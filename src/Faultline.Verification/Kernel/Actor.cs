using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Verification.Kernel;

/// <summary>A thread of one engine's side that may fall asleep in a step while the program goes on.</summary>
internal sealed class Actor : IDisposable
{
    // It sleeps at once: most steps do not need an actor, and one that looks for work takes the processor from the others.
    private readonly AutoResetEvent _work = new(initialState: false);
    private readonly Thread _thread;
    private readonly int _index;

    // Written by the owner before _work is set.
    private EngineSide? _side;
    private Step _step;
    private StepOutcome _outcome;
    private volatile bool _isRunning;
    private volatile bool _isEnding;

    public Actor(int index, string engine)
    {
        _index = index;
        _thread = new Thread(Run) { IsBackground = true, Name = $"{engine} actor {index}" };
        _thread.Start();
    }

    /// <summary>Whether a step is under way, asleep or not.</summary>
    public bool IsRunning => _isRunning;

    /// <summary>The step under way, or the last one.</summary>
    public Step Step => _step;

    /// <summary>The steps under way.</summary>
    public static string Describe(ReadOnlySpan<Actor?> actors)
    {
        var texts = new List<string>();
        foreach (Actor? actor in actors)
        {
            if (actor is { IsRunning: true })
            {
                texts.Add($"'{actor.Step}'");
            }
        }

        return string.Join(", ", texts);
    }

    /// <summary>Begins a step.</summary>
    public void Start(EngineSide side, in Step step)
    {
        _side = side;
        _step = step;
        _isRunning = true;
        _work.Set();
    }

    /// <summary>What the last step answered; only when none is under way.</summary>
    public StepOutcome Outcome => _outcome;

    public void Dispose()
    {
        _isEnding = true;
        _work.Set();
        if (_thread.Join(TimeSpan.FromSeconds(5)))
        {
            _work.Dispose();
        }
    }

    private void Run()
    {
        while (true)
        {
            _work.WaitOne();
            if (_isEnding)
            {
                return;
            }

            _outcome = _side!.Execute(in _step, _index);
            _isRunning = false;
        }
    }
}
