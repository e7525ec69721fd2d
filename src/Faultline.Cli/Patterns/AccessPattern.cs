namespace Faultline.Cli.Patterns;

/// <summary>The order in which a clone touches the pages of the image.</summary>
internal enum AccessPattern
{
    /// <summary>From the first page on.</summary>
    Sequential,

    /// <summary>Every page at most once, in an order that differs for each clone.</summary>
    Random,

    /// <summary>Few pages often, many rarely; the popular pages are the same for all clones.</summary>
    Zipf,

    /// <summary>The pages of a recorded list.</summary>
    Trace,
}
