namespace Faultline.Hosting;

/// <summary>One image of a host.</summary>
public sealed class HostedImageOptions
{
    /// <summary>Where its bytes are: a file's path, or an address that begins with http or https. An image of the format <c>.flt</c>, a core dump, or
    /// any other bytes.</summary>
    public string Address { get; set; } = string.Empty;
}
