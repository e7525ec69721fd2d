using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>Hands out frames with one reference each, and takes them back when the last reference goes.</summary>
internal sealed unsafe class FrameAllocator
{
    private readonly PhysicalMemory _memory;
    private readonly BuddyAllocator _buddy;
    private readonly FrameCache[] _caches;

    public FrameAllocator(PhysicalMemory memory)
    {
        _memory = memory;
        _buddy = new BuddyAllocator(memory);
        _caches = new FrameCache[Environment.ProcessorCount];
        for (int i = 0; i < _caches.Length; i++)
        {
            _caches[i] = new FrameCache(_buddy);
        }

        ZeroFolio = Allocate(0);
        NativeMemory.Clear(_memory.BytesAt(ZeroFolio.Number), (nuint)PageSize.Small);
        ZeroFolio.Set(FolioFlags.Reserved | FolioFlags.UpToDate);
    }

    /// <summary>The folio of zeroes that every untouched anonymous page shows when it is read. Never counted, never freed.</summary>
    public Folio ZeroFolio { get; }

    /// <summary>Frames that are not handed out. Exact only while nobody allocates.</summary>
    public uint AvailableFrames
    {
        get
        {
            uint count = _buddy.AvailableFrames;
            foreach (FrameCache cache in _caches)
            {
                count += (uint)cache.Count;
            }

            return count;
        }
    }

    /// <summary>Takes a folio of 1 or 512 frames. The bytes are what they were: the caller fills or clears them.</summary>
    /// <returns>The folio with one reference, or the null folio if there is no memory.</returns>
    public Folio Allocate(int order)
    {
        uint number = order == 0 ? Cache.Allocate() : _buddy.Allocate(order);
        if (number == 0)
        {
            number = AllocateAfterDrain(order);
            if (number == 0)
            {
                return default;
            }
        }

        _memory.Guard?.Check(number, _memory.BytesAt(number), order);
        Frame* head = _memory.FrameAt(number);
        Initialize(head, order);
        return new Folio(head);
    }

    /// <summary>Takes back a folio whose last reference is gone and that is on no list, in no cache and not charged.</summary>
    public void Free(Folio folio)
    {
        Frame* head = folio.Record;
        int order = head->Order;
        if (_memory.Guard is not null)
        {
            MemoryGuard.Fill(_memory.BytesAt(head->Number), order);
        }

        for (uint i = 1; i < 1U << order; i++)
        {
            head[i].Flags = 0;
            head[i].Head = head[i].Number;
        }

        head->Flags = 0;
        head->Owner = 0;
        if (order == 0)
        {
            Cache.Free(head->Number);
        }
        else
        {
            _buddy.Free(head->Number, order);
        }
    }

    // Which frames a thread gets is decided by the schedule, where there is one.
    private FrameCache Cache => _caches[Seam.IsOn ? 0 : (uint)Thread.GetCurrentProcessorId() % (uint)_caches.Length];

    private uint AllocateAfterDrain(int order)
    {
        // Frames that the processors keep back may be the last, or the missing buddies.
        foreach (FrameCache cache in _caches)
        {
            cache.Drain();
        }

        return _buddy.Allocate(order);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Initialize(Frame* head, int order)
    {
        head->Flags = 0;
        head->MapCount = 0;
        head->HugeMapCount = 0;
        head->Owner = 0;
        head->Index = 0;
        head->Swap = 0;
        head->Group = 0;
        head->Order = order;
        for (uint i = 1; i < 1U << order; i++)
        {
            head[i].Flags = (int)FolioFlags.Tail;
            head[i].MapCount = 0;
            head[i].Head = head->Number;
        }

        // Last, and visible last: a look-up that still holds the number may take a reference from here on, and then looks again.
        Volatile.Write(ref head->RefCount, 1);
    }
}
