using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>What <c>doctor</c> prints with <c>--json</c>.</summary>
internal sealed record DoctorDocument
{
    /// <summary>Whether <c>restore</c> and <c>quickstart</c> can run.</summary>
    public required bool CanRun { get; init; }

    public required string Kernel { get; init; }

    public required string Runtime { get; init; }

    public required IReadOnlyList<CheckDocument> Checks { get; init; }
}
