namespace Faultline.Hosting;

/// <summary>One image of a host.</summary>
public sealed class HostedImageOptions
{
    /// <summary>Where its bytes are: a file's path, or an address that begins with http or https. An image of the format <c>.flt</c>, a core dump, or
    /// any other bytes.</summary>
    public string Address { get; set; } = string.Empty;

    /// <summary>
    /// Whether what is written to the mapped image goes back to where its bytes are: before it leaves memory, when <see cref="Paging.PagedImage.Flush"/>
    /// is called, and at the host's end. Only a file of plain bytes, or a store that takes writes, can be. Otherwise what is written is the process's own.
    /// </summary>
    public bool WriteBack { get; set; }

    /// <summary>A file with the working set to bring when the host starts, or null. If it cannot be used, a warning says why, and pages come on
    /// demand.</summary>
    public string? Replay { get; set; }

    /// <summary>A file that receives, at the host's end, which pages were touched and in what order; null for none. It may be that of <see cref="Replay"/>.</summary>
    public string? Record { get; set; }
}
