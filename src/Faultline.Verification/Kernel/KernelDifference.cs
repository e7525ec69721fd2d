namespace Faultline.Verification.Kernel;

/// <summary>A program on which the managed engine and the kernel part.</summary>
public sealed record KernelDifference
{
    /// <summary>The seed of the program, as found; null if the program came as a script.</summary>
    public ulong? ProgramSeed { get; init; }

    /// <summary>What was compared, at which step.</summary>
    public required string What { get; init; }

    /// <summary>What the kernel showed.</summary>
    public required string Linux { get; init; }

    /// <summary>What the managed engine showed.</summary>
    public required string Managed { get; init; }

    /// <summary>The program, cut down to what is needed, one step a line.</summary>
    public required string Script { get; init; }

    /// <summary>How many steps that is.</summary>
    public required int Steps { get; init; }

    /// <summary>Whether it happened again when the program was run again. What did not is a race, or a machine that was not left alone.</summary>
    public required bool IsReproducible { get; init; }

    /// <summary>How many programs parted in a like manner.</summary>
    public long Times { get; set; } = 1;
}
