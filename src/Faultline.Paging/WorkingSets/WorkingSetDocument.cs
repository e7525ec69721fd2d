namespace Faultline.Paging;

/// <summary>The file of a working set. A touch is [page, count, kind, write].</summary>
internal sealed record WorkingSetDocument
{
    public string? Format { get; init; }

    public int Version { get; init; }

    public ulong ImageBytes { get; init; }

    public int[][] Touches { get; init; } = [];
}
