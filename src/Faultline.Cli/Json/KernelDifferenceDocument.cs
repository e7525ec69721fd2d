using Faultline.Verification.Kernel;

namespace Faultline.Cli.Json;

/// <summary>A program on which the managed engine and the kernel part.</summary>
/// <param name="Program">The seed of the program, for <c>--program</c>.</param>
/// <param name="What">What was compared, at which step.</param>
/// <param name="Kernel">What the kernel showed.</param>
/// <param name="Managed">What the managed engine showed.</param>
/// <param name="Script">The program, cut down, one step a line.</param>
/// <param name="Steps">How many steps that is.</param>
/// <param name="Reproducible">Whether it happened again when the program was run again.</param>
/// <param name="Times">How many programs parted in a like manner.</param>
internal sealed record KernelDifferenceDocument(
    ulong? Program, string What, string Kernel, string Managed, string Script, int Steps, bool Reproducible, long Times)
{
    public static KernelDifferenceDocument Of(KernelDifference difference) => new(
        difference.ProgramSeed, difference.What, difference.Linux, difference.Managed,
        difference.Script, difference.Steps, difference.IsReproducible, difference.Times);
}
