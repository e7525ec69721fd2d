namespace Faultline.Mm;

/// <summary>Waiters in the order of their coming. Guard: the context's queue lock.</summary>
internal struct FaultQueue
{
    public FaultWaiter? First { get; private set; }

    private FaultWaiter? _last;

    public int Count { get; private set; }

    public void Append(FaultWaiter waiter)
    {
        waiter.Previous = _last;
        waiter.Next = null;
        if (_last is null)
        {
            First = waiter;
        }
        else
        {
            _last.Next = waiter;
        }

        _last = waiter;
        Count++;
    }

    public void Remove(FaultWaiter waiter)
    {
        if (waiter.Previous is null)
        {
            First = waiter.Next;
        }
        else
        {
            waiter.Previous.Next = waiter.Next;
        }

        if (waiter.Next is null)
        {
            _last = waiter.Previous;
        }
        else
        {
            waiter.Next.Previous = waiter.Previous;
        }

        waiter.Next = null;
        waiter.Previous = null;
        Count--;
    }
}
