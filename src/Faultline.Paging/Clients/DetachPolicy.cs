namespace Faultline.Paging;

/// <summary>What happens to pages that a client has not got yet when the pager lets go of it.</summary>
public enum DetachPolicy
{
    /// <summary>They become errors: later accesses fail.</summary>
    Poison = 0,

    /// <summary>They are brought and installed first, so that the client needs the pager no more. What cannot be brought becomes an error.</summary>
    Complete = 1,
}
