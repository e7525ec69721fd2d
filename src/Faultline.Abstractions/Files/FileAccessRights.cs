namespace Faultline;

/// <summary>How a memory file is open.</summary>
public enum FileAccessRights
{
    /// <summary>For reading and writing.</summary>
    ReadWrite = 0,

    /// <summary>For reading only: shared mappings of it can never be written, nor registered.</summary>
    Read = 1,
}
