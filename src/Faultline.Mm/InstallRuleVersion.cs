namespace Faultline.Mm;

/// <summary>The rules for the bits of an entry that a fill installs, as Linux had them over time.</summary>
public enum InstallRuleVersion
{
    /// <summary>Linux 5.18 to 6.18: always dirty, write-protection whatever the mapping allows.</summary>
    Linux618 = 0,

    /// <summary>As merged for Linux 5.14 after the review of 2021: dirty if writable or private, write-protection only where writable.</summary>
    Review2021 = 1,
}
