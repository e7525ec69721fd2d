namespace Faultline.Cli.Patterns;

/// <summary>A small generator (SplitMix64): the same seed gives the same run on every machine and runtime.</summary>
internal struct SeededRandom(ulong seed)
{
    private ulong _state = seed;

    public static ulong Mix(ulong value)
    {
        unchecked
        {
            value += 0x9E3779B97F4A7C15;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }

    public ulong Next()
    {
        ulong value = Mix(_state);
        _state = unchecked(_state + 0x9E3779B97F4A7C15);
        return value;
    }

    /// <summary>A number from 0 up to, and without, <paramref name="bound"/>.</summary>
    public ulong Below(ulong bound) => System.Math.BigMul(Next(), bound, out _);

    /// <summary>A number from 0 up to, and without, 1.</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));
}
