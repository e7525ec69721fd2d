using System;
using System.Security.Cryptography.X509Certificates;

namespace Faultline.Stores;

/// <summary>How a store behind a network asks, and how long it goes on asking.</summary>
public sealed record RemoteStoreOptions
{
    /// <summary>The most requests at once.</summary>
    public int Requests { get; init; } = 16;

    /// <summary>The most bytes of one request; a larger read is split, and its parts are asked for side by side.</summary>
    public int RequestBytes { get; init; } = 1 << 20;

    /// <summary>How long one request may take, connecting included.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How long a read may take with all its retries. Shorter than a pager's deadline, so that the store's own error is what
    /// the pager tells.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>The pause before the first retry; it doubles from one to the next, and varies a little.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between retries.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The certificates an <c>https</c> server's must come from, in place of those the system trusts; null for those.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>The clock of timeouts and pauses.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Throws if a value makes no sense.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    internal void Validate()
    {
        Require(Requests is >= 1 and <= 1024, $"Requests is {Requests}; it must be from 1 to 1,024.");
        Require(RequestBytes is >= 4096 and <= 1 << 30, $"RequestBytes is {RequestBytes}; it must be from 4 KiB to 1 GiB.");
        Require(
            AttemptTimeout > TimeSpan.FromMilliseconds(10) && Deadline >= AttemptTimeout && Deadline < TimeSpan.FromDays(1),
            $"AttemptTimeout is {AttemptTimeout} and Deadline {Deadline}; they must be more than 10 ms, less than a day, and in this order.");
        Require(
            FirstPause > TimeSpan.Zero && LongestPause >= FirstPause && LongestPause < TimeSpan.FromDays(1),
            $"FirstPause is {FirstPause} and LongestPause {LongestPause}; they must be more than nothing, less than a day, and in this order.");
        Require(TimeProvider is not null, "TimeProvider is null; leave it out for the system's.");
    }

    private static void Require(bool options, string message)
    {
        if (!options)
        {
            throw new ArgumentException(message, nameof(options));
        }
    }
}
