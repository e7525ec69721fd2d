namespace Faultline.Mm;

/// <summary>What a <see cref="RmapWalk"/> does at each place a folio may be mapped at. A struct, so that walks allocate nothing.</summary>
internal interface IRmapVisitor
{
    /// <summary>The folio may be mapped here, from its first frame on; whether it is, the entry tells.</summary>
    /// <returns>Whether to go on.</returns>
    bool Visit(Vma vma, ulong address, Folio folio);
}
