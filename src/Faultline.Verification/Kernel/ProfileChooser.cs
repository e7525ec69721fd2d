using System;

namespace Faultline.Verification.Kernel;

/// <summary>Chooses what the next program is about: more often what has lately reached new tuples. Not safe for concurrent callers.</summary>
internal sealed class ProfileChooser
{
    private const double Least = 1;
    private const double Fading = 0.95;

    private readonly double[] _weights = new double[1 << ProgramGenerator.ProfileBits];

    public ProfileChooser(GeneratorOptions options)
    {
        _weights.AsSpan(0, (int)ProgramProfile.HugePages + 1).Fill(Least);
        _weights[(int)ProgramProfile.Hugetlb] = options.WithHugePages ? Least : 0;
        _weights[(int)ProgramProfile.Swap] = options.WithSwap ? Least : 0;
        _weights[(int)ProgramProfile.Fork] = options.WithFork ? Least / 8 : 0;
    }

    public ProgramProfile Choose(ref SplitMix random)
    {
        double sum = 0;
        foreach (double weight in _weights)
        {
            sum += weight;
        }

        double at = random.Below(1 << 20) * sum / (1 << 20);
        for (int i = 0; i < _weights.Length; i++)
        {
            at -= _weights[i];
            if (at < 0)
            {
                return (ProgramProfile)i;
            }
        }

        return ProgramProfile.General;
    }

    /// <summary>Says how many new tuples a program reached.</summary>
    public void Credit(ulong seed, int found)
    {
        int profile = (int)(seed & ((1UL << ProgramGenerator.ProfileBits) - 1));
        double least = (ProgramProfile)profile == ProgramProfile.Fork ? Least / 8 : Least;
        _weights[profile] = Math.Clamp((_weights[profile] * Fading) + (found * (1 - Fading)), least, 4 * least);
    }
}
