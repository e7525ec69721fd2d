namespace Faultline.Stores;

/// <summary>A store that keeps bytes it once read, and can be told that they were wrong.</summary>
internal interface IForgetfulStore
{
    /// <summary>The bytes were damaged when they came: they are to be read anew, from where they come.</summary>
    void Forget(ulong offset, ulong length);
}
