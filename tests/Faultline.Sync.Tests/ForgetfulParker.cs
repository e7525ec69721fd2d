using Faultline.Sync.Scheduling;

namespace Faultline.Sync.Tests;

/// <summary>
/// Broken on purpose, the oldest way there is: it looks whether it was woken, and only then goes to sleep, losing what comes in between.
/// An explorer that does not find this finds nothing.
/// </summary>
internal sealed class ForgetfulParker(Parker parker)
{
    private bool _isWoken;

    public void Park()
    {
        if (_isWoken)
        {
            return;
        }

        Seam.Point();
        parker.Park(timeoutMs: 0);
        parker.Park();
    }

    public void Unpark()
    {
        _isWoken = true;
        parker.Unpark();
    }
}
