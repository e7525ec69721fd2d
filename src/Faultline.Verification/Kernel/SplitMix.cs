using System;

namespace Faultline.Verification.Kernel;

/// <summary>Random numbers from a seed (SplitMix64), the same on every machine and runtime.</summary>
internal struct SplitMix(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            ulong value = _state;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }

    /// <summary>A number from 0 up to, and without, <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>True that often in a hundred.</summary>
    public bool Percent(int chance) => Below(100) < chance;

    /// <summary>One of several.</summary>
    public T One<T>(ReadOnlySpan<T> choices) => choices[Below(choices.Length)];
}
