namespace Faultline.Mm;

/// <summary>The LRU lists (Linux: <c>enum lru_list</c>).</summary>
internal enum LruKind
{
    InactiveAnonymous = 0,
    ActiveAnonymous = 1,
    InactiveFile = 2,
    ActiveFile = 3,

    /// <summary>Mlocked pages: reclaim never sees them.</summary>
    Unevictable = 4,
}
