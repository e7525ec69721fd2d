namespace Faultline.Cli.Report;

/// <summary>Something that holds for a while.</summary>
/// <param name="From">The first column.</param>
/// <param name="To">The column after the last.</param>
/// <param name="Words">What it is.</param>
/// <param name="Css">Its class in the style sheet.</param>
internal sealed record TimelineSpan(int From, int To, string Words, string Css);
