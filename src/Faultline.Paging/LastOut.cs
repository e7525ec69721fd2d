using System;
using System.Threading;

namespace Faultline.Paging;

/// <summary>Disposes something when the last of those who use it is out, in whatever order they go.</summary>
internal sealed class LastOut(IDisposable shared, int uses)
{
    private int _uses = uses;

    public void Leave()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            shared.Dispose();
        }
    }
}
