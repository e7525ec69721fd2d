using System;
using System.Diagnostics;
using System.Threading;

namespace Faultline.Mm;

/// <summary>
/// The mappings of one address space by address (Linux: the maple tree). A balanced tree of nodes that never change: a change makes new nodes along
/// its path and then a new root, so whoever reads sees one state of it, without a lock.
/// </summary>
internal sealed class VmaTree
{
    private Node? _root;

    public int Count { get; private set; }

    /// <summary>The first mapping that ends above an address (Linux: <c>find_vma</c>); it need not cover it.</summary>
    public Vma? FindFrom(ulong address)
    {
        Node? node = Volatile.Read(ref _root);
        Vma? found = null;
        while (node is not null)
        {
            if (node.Vma.End > address)
            {
                found = node.Vma;
                node = node.Left;
            }
            else
            {
                node = node.Right;
            }
        }

        return found;
    }

    /// <summary>The mapping that covers an address.</summary>
    public Vma? Find(ulong address) => FindFrom(address) is { } vma && vma.Start <= address ? vma : null;

    /// <summary>The last mapping that ends at or below an address.</summary>
    public Vma? FindBefore(ulong address)
    {
        Node? node = Volatile.Read(ref _root);
        Vma? found = null;
        while (node is not null)
        {
            if (node.Vma.End <= address)
            {
                found = node.Vma;
                node = node.Right;
            }
            else
            {
                node = node.Left;
            }
        }

        return found;
    }

    public Vma? Next(Vma vma) => FindFrom(vma.End);

    /// <summary>The highest range of a length that nothing is mapped in (Linux: top-down <c>vm_unmapped_area</c>).</summary>
    /// <param name="length">Length in bytes.</param>
    /// <param name="alignment">A power of two, at least a page.</param>
    /// <param name="low">Nothing below.</param>
    /// <param name="high">Nothing at or above.</param>
    /// <returns>The start, or zero if there is no such range.</returns>
    public ulong FindGap(ulong length, ulong alignment, ulong low, ulong high)
    {
        if (length > high - low)
        {
            return 0;
        }

        return FindGapIn(_root, length, alignment, low, high);
    }

    public void Insert(Vma vma)
    {
        Debug.Assert(FindFrom(vma.Start) is not { } next || next.Start >= vma.End, "Mappings do not overlap.");
        Volatile.Write(ref _root, Insert(_root, vma));
        Count++;
    }

    /// <summary>Takes a mapping out. Its borders must be what they were when it was put in.</summary>
    public void Remove(Vma vma)
    {
        Volatile.Write(ref _root, Remove(_root, vma));
        Count--;
    }

    private static ulong FindGapIn(Node? node, ulong length, ulong alignment, ulong low, ulong high)
    {
        // The gap above the subtree's last mapping was offered by the caller as the rest of [low, high).
        if (node is null)
        {
            return Fit(low, high, length, alignment);
        }

        ulong above = Math.Max(low, node.Vma.End);
        if (above < high && CanHold(node.Right, above, high, length))
        {
            ulong found = FindGapIn(node.Right, length, alignment, above, high);
            if (found != 0)
            {
                return found;
            }
        }

        ulong below = Math.Min(high, node.Vma.Start);
        return below > low ? FindGapIn(node.Left, length, alignment, low, below) : 0;
    }

    private static bool CanHold(Node? node, ulong low, ulong high, ulong length)
    {
        if (node is null)
        {
            return high - low >= length;
        }

        ulong before = node.First > low ? node.First - low : 0;
        ulong after = high > node.Last ? high - node.Last : 0;
        return before >= length || after >= length || node.LargestGap >= length;
    }

    private static ulong Fit(ulong low, ulong high, ulong length, ulong alignment)
    {
        if (high <= low || high - low < length)
        {
            return 0;
        }

        ulong start = (high - length) & ~(alignment - 1);
        return start >= low ? start : 0;
    }

    private static Node Insert(Node? node, Vma vma)
    {
        if (node is null)
        {
            return new Node(vma, null, null);
        }

        return vma.Start < node.Vma.Start
            ? Balance(node.Vma, Insert(node.Left, vma), node.Right)
            : Balance(node.Vma, node.Left, Insert(node.Right, vma));
    }

    private static Node? Remove(Node? node, Vma vma)
    {
        Debug.Assert(node is not null, "The mapping is not in the tree.");
        if (node.Vma == vma)
        {
            if (node.Left is null || node.Right is null)
            {
                return node.Left ?? node.Right;
            }

            Node next = node.Right;
            while (next.Left is not null)
            {
                next = next.Left;
            }

            return Balance(next.Vma, node.Left, Remove(node.Right, next.Vma));
        }

        return vma.Start < node.Vma.Start
            ? Balance(node.Vma, Remove(node.Left, vma), node.Right)
            : Balance(node.Vma, node.Left, Remove(node.Right, vma));
    }

    private static Node Balance(Vma vma, Node? left, Node? right)
    {
        int difference = HeightOf(left) - HeightOf(right);
        if (difference > 1)
        {
            Node tall = left!;
            return HeightOf(tall.Left) >= HeightOf(tall.Right)
                ? new Node(tall.Vma, tall.Left, new Node(vma, tall.Right, right))
                : new Node(
                    tall.Right!.Vma, new Node(tall.Vma, tall.Left, tall.Right.Left), new Node(vma, tall.Right.Right, right));
        }

        if (difference < -1)
        {
            Node tall = right!;
            return HeightOf(tall.Right) >= HeightOf(tall.Left)
                ? new Node(tall.Vma, new Node(vma, left, tall.Left), tall.Right)
                : new Node(
                    tall.Left!.Vma, new Node(vma, left, tall.Left.Left), new Node(tall.Vma, tall.Left.Right, tall.Right));
        }

        return new Node(vma, left, right);
    }

    private static int HeightOf(Node? node) => node?.Height ?? 0;

    private sealed class Node
    {
        public Node(Vma vma, Node? left, Node? right)
        {
            Vma = vma;
            Left = left;
            Right = right;
            Height = Math.Max(HeightOf(left), HeightOf(right)) + 1;
            First = left?.First ?? vma.Start;
            Last = right?.Last ?? vma.End;
            ulong gap = Math.Max(left?.LargestGap ?? 0, right?.LargestGap ?? 0);
            gap = left is null ? gap : Math.Max(gap, vma.Start - left.Last);
            LargestGap = right is null ? gap : Math.Max(gap, right.First - vma.End);
        }

        public Vma Vma { get; }

        public Node? Left { get; }

        public Node? Right { get; }

        public int Height { get; }

        /// <summary>The lowest address mapped in the subtree.</summary>
        public ulong First { get; }

        /// <summary>The end of the highest mapping in the subtree.</summary>
        public ulong Last { get; }

        /// <summary>The largest gap between two mappings of the subtree.</summary>
        public ulong LargestGap { get; }
    }
}
