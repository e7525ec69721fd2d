using System;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Faultline.Paging;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Pagers;

/// <summary>
/// The answer of a store that comes later. Who waits for it goes on inside <see cref="Give"/>, on the thread of the schedule that gives it; a task would
/// carry what is thrown there, when a schedule is cut short, to the thread pool.
/// </summary>
/// <param name="times">How often whoever waits is told: once, but for a canary.</param>
internal sealed class LateAnswer(int times = 1) : IValueTaskSource<StoreRead>
{
    private ManualResetValueTaskSourceCore<StoreRead> _core;

    public ValueTask<StoreRead> Task => new(this, _core.Version);

    /// <summary>Gives the answer.</summary>
    public void Give(StoreRead read)
    {
        Seam.Touch(this, TouchKind.Write);
        _core.SetResult(read);
    }

    /// <inheritdoc/>
    public StoreRead GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token)
    {
        Seam.Touch(this, TouchKind.Read);
        return _core.GetStatus(token);
    }

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        // If the answer is there by now, this would go to the thread pool: it has to be looked for here, with no point between.
        Seam.Touch(this, TouchKind.Write);
        if (_core.GetStatus(token) != ValueTaskSourceStatus.Pending)
        {
            Seam.Start("store", () => continuation(state));
            return;
        }

        _core.OnCompleted(times == 1 ? continuation : Repeat, times == 1 ? state : continuation, token, flags);

        void Repeat(object? told)
        {
            for (int i = 0; i < times; i++)
            {
                ((Action<object?>)told!)(state);
            }
        }
    }
}
