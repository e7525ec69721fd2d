using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Paging;

/// <summary>
/// Write-protection that the kernel lifts by itself (WP_ASYNC). PAGEMAP_SCAN finds what is no longer protected and protects it again under
/// the page-table lock, in one step, so no write can fall between.
/// </summary>
internal sealed class AsynchronousDirtyTracker : IDirtyTracker
{
    private const int RegionsAtOnce = 256;

    private readonly IAddressSpace _space;
    private readonly IDisposable _owner;
    private readonly Lock _lock = new();
    private readonly PageRegion[] _regions = new PageRegion[RegionsAtOnce];
    private bool _isDisposed;

    /// <summary>Takes over <paramref name="owner"/>, who ends the protection; also if this throws.</summary>
    public AsynchronousDirtyTracker(IAddressSpace space, IUserfaultfd context, IDisposable owner, AddressRange range, ulong pageBytes)
    {
        _space = space;
        _owner = owner;
        Range = range;
        PageBytes = pageBytes;
        try
        {
            Protect(context);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    public AddressRange Range { get; }

    public DirtyTracking Kind => DirtyTracking.Asynchronous;

    public ulong PageBytes { get; }

    public long TakeWritten(ICollection<AddressRange> written)
    {
        ArgumentNullException.ThrowIfNull(written);
        written.Clear();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var joined = new WrittenRanges(written);
            VirtualAddress from = Range.Start;
            while (from < Range.End)
            {
                var request = new PagemapScanRequest
                {
                    Range = AddressRange.Between(from, Range.End),
                    Flags = PagemapScanFlags.WriteProtectMatching | PagemapScanFlags.CheckWriteProtectAsync,
                    Mask = PageCategories.Written,
                    Return = PageCategories.Written,
                };
                PagemapScanResult result = _space.Inspector.Scan(in request, _regions);
                new SystemResult(result.Errno).OrThrow("PAGEMAP_SCAN", request.Range);
                foreach (PageRegion region in _regions.AsSpan(0, result.Count))
                {
                    joined.Add(region.Range);
                }

                from = result.WalkEnd;
            }

            joined.End();
            return (long)(joined.Bytes / PageBytes);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _owner.Dispose();
            }
        }
    }

    private void Protect(IUserfaultfd context)
    {
        using Patience patience = new();
        SystemResult result;
        do
        {
            result = context.WriteProtect(Range, WriteProtectModes.Protect);
        }
        while (result.Errno == Errno.EAGAIN && patience.Wait());
        result.OrThrow("UFFDIO_WRITEPROTECT", Range);
    }
}
