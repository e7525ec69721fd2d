using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Finds the places a folio is mapped at (Linux: <c>rmap_walk</c>). The caller holds the folio's lock, so its owner and index stay.</summary>
internal static unsafe class RmapWalk
{
    public static void ForEach<TVisitor>(MmSystem system, Folio folio, ref TVisitor visitor)
        where TVisitor : struct, IRmapVisitor
    {
        ulong owner = folio.Record->Owner;
        if (folio.IsAnonymous)
        {
            if (system.Owners.Find<AnonVma>(owner) is { } anonVma)
            {
                using RankedLock.Scope held = anonVma.Enter();
                Visit(anonVma.Mappings, folio, ref visitor);
            }
        }
        else if (system.Owners.Find<IMappable>(owner) is { } file)
        {
            using RankedLock.Scope held = file.Mappings.Enter();
            Visit(file.Mappings.ListLocked(in held), folio, ref visitor);
        }
    }

    private static void Visit<TVisitor>(List<Vma> mappings, Folio folio, ref TVisitor visitor)
        where TVisitor : struct, IRmapVisitor
    {
        foreach (Vma vma in mappings)
        {
            if (vma.Covers(folio.Index) && !visitor.Visit(vma, vma.AddressOf(folio.Index), folio))
            {
                return;
            }
        }
    }
}
