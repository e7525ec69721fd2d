using System.Runtime.InteropServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The 2 MiB of zeroes that untouched memory shows where huge pages are wanted (Linux: <c>mm_get_huge_zero_folio</c>). It is there while an entry maps
/// it, and counted nowhere.
/// </summary>
internal sealed unsafe class HugeZeroFolio
{
    private readonly FolioPool _pool;

    /// <summary>Of the pools' rank: memory is allocated and freed inside.</summary>
    private readonly RankedLock _lock = new(LockRank.MmHugetlbPool);

    /// <summary>Null while nobody uses it. Guard: <see cref="_lock"/>.</summary>
    private Folio _folio;

    /// <summary>Entries that map it, and those about to. Guard: <see cref="_lock"/>.</summary>
    private long _users;

    public HugeZeroFolio(FolioPool pool) => _pool = pool;

    /// <summary>The entries that map it; for checks of a quiet engine.</summary>
    public long Users => _users;

    /// <summary>Its first frame, or zero.</summary>
    public uint Number => _folio.IsNull ? 0 : _folio.Number;

    /// <summary>Gets it for one more entry.</summary>
    /// <returns>The null folio if there is no memory.</returns>
    public Folio TryGet()
    {
        using RankedLock.Scope held = _lock.Enter();
        if (_folio.IsNull)
        {
            _folio = _pool.AllocateUncharged(PhysicalMemory.HugeOrder);
            if (_folio.IsNull)
            {
                return default;
            }

            NativeMemory.Clear(_pool.BytesOf(_folio), (nuint)PageSize.Huge);
            _folio.Set(FolioFlags.Reserved | FolioFlags.UpToDate);
        }

        _users++;
        return _folio;
    }

    /// <summary>One entry less, and after a shoot-down: the last one's memory is used again.</summary>
    public void Put()
    {
        using RankedLock.Scope held = _lock.Enter();
        if (--_users == 0)
        {
            _pool.Put(_folio);
            _folio = default;
        }
    }
}
