using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>What <c>doctor</c> prints with <c>--json</c>.</summary>
internal sealed record DoctorDocument
{
    /// <summary>Whether <c>restore</c> and <c>quickstart</c> can run on this kernel; on the managed engine they run anywhere.</summary>
    public required bool CanRun { get; init; }

    /// <summary><c>linux</c> or <c>managed</c>: what they run on unless <c>--engine</c> says otherwise.</summary>
    public required string DefaultEngine { get; init; }

    public required string Kernel { get; init; }

    public required string Runtime { get; init; }

    public required IReadOnlyList<CheckDocument> Checks { get; init; }
}
