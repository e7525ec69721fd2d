namespace Faultline.Hosting;

/// <summary>Which engine a host's pager works on.</summary>
public enum HostedEngine
{
    /// <summary>The running kernel's userfaultfd.</summary>
    Linux = 0,

    /// <summary>The managed one: any machine, no rights needed, and much slower. For development and tests.</summary>
    Managed,
}
