using System;

namespace Faultline.Paging;

/// <summary>
/// The default policy: a clock with two hands. The front hand forgets what it knows of a chunk's use and has it watched; the hand behind it takes the chunk
/// out unless it was used in between. Chunks go in the order of the image, so neighbours leave together.
/// </summary>
public sealed class ClockEviction : IEvictionPolicy
{
    /// <summary>The part of what is in memory that lies between the hands.</summary>
    private const int HandDistance = 4;

    /// <summary>The chunks in memory.</summary>
    private int _resident;

    /// <summary>How many chunks the front hand is ahead of the back hand.</summary>
    private int _ahead;

    private int _front;
    private int _back;

    /// <inheritdoc/>
    public int Choose(EvictionView chunks, Span<int> victims)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        int chosen = 0;

        // Twice round: what was used is passed over once. Not beyond where the front hand was, if that is enough: what it has watched just now had
        // no time to be used.
        int watched = _ahead;
        for (int looked = 0; looked < 2 * _resident && chosen < victims.Length && (looked < watched || chosen == 0); looked++)
        {
            while (_ahead < Math.Max(1, _resident / HandDistance) && Advance(chunks, ref _front))
            {
                _ahead++;
                chunks.TakeUsed(_front);
                chunks.Watch(_front);
            }

            if (!Advance(chunks, ref _back))
            {
                break;
            }

            _ahead--;
            if (chunks.MayEvict(_back) && !chunks.TakeUsed(_back))
            {
                victims[chosen++] = _back;
            }
        }

        return chosen;
    }

    /// <inheritdoc/>
    public void Brought(int chunk) => _resident++;

    /// <inheritdoc/>
    public void Evicted(int chunk) => _resident--;

    /// <summary>Moves a hand to the next chunk in memory.</summary>
    private static bool Advance(EvictionView chunks, ref int hand)
    {
        int next = chunks.NextResident(hand + 1);
        if (next < 0)
        {
            next = chunks.NextResident(0);
        }

        hand = Math.Max(next, 0);
        return next >= 0;
    }
}
