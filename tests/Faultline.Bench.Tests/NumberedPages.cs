using System;
using System.Runtime.InteropServices;

namespace Faultline.Bench.Tests;

/// <summary>Native memory whose pages end with their number plus one, as those of the matrix's file do.</summary>
internal sealed unsafe class NumberedPages : IDisposable
{
    public const int Count = 256;

    private const int WordsOfAPage = (int)PageSize.Small / sizeof(ulong);

    private readonly ulong* _words = (ulong*)NativeMemory.AlignedAlloc(Count * (nuint)PageSize.Small, (nuint)PageSize.Small);

    public NumberedPages()
    {
        NativeMemory.Clear(_words, Count * (nuint)PageSize.Small);
        for (int page = 0; page < Count; page++)
        {
            Number(page) = (ulong)page + 1;
        }
    }

    public AddressRange Area => new(new VirtualAddress((ulong)_words), Count * PageSize.Small);

    public ref ulong Number(int page) => ref _words[((page + 1) * WordsOfAPage) - 1];

    public ulong SumOfCounters()
    {
        ulong sum = 0;
        for (int word = 0; word < Count * WordsOfAPage; word++)
        {
            sum += (word + 1) % WordsOfAPage == 0 ? 0 : _words[word];
        }

        return sum;
    }

    public void Dispose() => NativeMemory.AlignedFree(_words);
}
