namespace Faultline;

/// <summary>The two ways to a userfaultfd.</summary>
public enum UserfaultfdDoor
{
    /// <summary>userfaultfd(2).</summary>
    SystemCall = 0,

    /// <summary><c>/dev/userfaultfd</c>: the right to open the node is the only one needed.</summary>
    Device = 1,
}
