namespace Faultline.Bench;

/// <summary>What <see cref="PairedRounds"/> found.</summary>
/// <param name="WithoutUs">Microseconds a touch without what is measured.</param>
/// <param name="WithUs">And with it.</param>
/// <param name="Ratio">The median of the rounds' ratios, which what disturbs a whole round leaves alone.</param>
internal readonly record struct PairedMedians(double WithoutUs, double WithUs, double Ratio);
