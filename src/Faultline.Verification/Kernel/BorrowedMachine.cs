using System;
using Faultline.Linux.Machine;

namespace Faultline.Verification.Kernel;

/// <summary>
/// What <see cref="KernelCheck"/> needs of the machine and most machines do not have at hand: huge pages in the kernel's pool, and swap. Taken for the length
/// of a run and given back when this is disposed, or when the process ends without that.
/// </summary>
public sealed class BorrowedMachine : IDisposable
{
    /// <summary>How large the swap file is, in MiB. Half of it is never used: when swap runs full, the kernel treats pages that come back otherwise.</summary>
    internal const int SwapMegabytes = 192;

    private readonly HugePageUse? _use;
    private readonly BorrowedHugePages? _hugePages;
    private readonly BorrowedSwapFile? _swap;

    private BorrowedMachine(int hugePages, bool withSwap)
    {
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        HugePages = hugePages;
        _use = hugePages > 0 ? HugePageUse.Shared() : null;
        _hugePages = hugePages > 0 ? BorrowedHugePages.Take(hugePages) : null;
        _swap = withSwap ? BorrowedSwapFile.Take(SwapMegabytes) : null;
    }

    /// <summary>How many huge pages were asked for.</summary>
    public int HugePages { get; }

    /// <summary>Whether there are huge pages to use.</summary>
    public bool HasHugePages => _hugePages is { Refusal: null };

    /// <summary>Whether there is swap to use.</summary>
    public bool HasSwap => _swap is { Refusal: null };

    /// <summary>Why there are no huge pages though they were asked for, or null.</summary>
    public string? HugePagesRefusal => _hugePages?.Refusal;

    /// <summary>Why there is no swap though it was asked for, or null.</summary>
    public string? SwapRefusal => _swap?.Refusal;

    /// <summary>Takes what can be had.</summary>
    /// <param name="workers">How many workers there will be; zero for no huge pages.</param>
    /// <param name="withSwap">Whether a swap file is wanted.</param>
    /// <returns>What was taken; ask it what that is.</returns>
    public static BorrowedMachine Take(int workers, bool withSwap) => new(workers * EnginePair.HugePages, withSwap);

    /// <inheritdoc/>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        GiveBack();
    }

    private void OnProcessExit(object? sender, EventArgs arguments) => GiveBack();

    private void GiveBack()
    {
        _hugePages?.Dispose();
        _use?.Dispose();
        _swap?.Dispose();
    }
}
