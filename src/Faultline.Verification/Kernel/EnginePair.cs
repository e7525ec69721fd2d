using System;
using Faultline.Linux;
using Faultline.Mm;

namespace Faultline.Verification.Kernel;

/// <summary>The two engines of one worker, and their actors, which outlive programs.</summary>
internal sealed class EnginePair : IDisposable
{
    private const ulong ManagedMemory = 64UL << 20;
    private const uint SwapPages = 4096;

    public EnginePair()
    {
        Linux = new LinuxEngine();
        Managed = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = ManagedMemory, Swap = new MemorySwapDevice(SwapPages) });
    }

    public LinuxEngine Linux { get; }

    public ManagedEngine Managed { get; }

    public Actor?[] LinuxActors { get; } = new Actor?[Arena.Actors];

    public Actor?[] ManagedActors { get; } = new Actor?[Arena.Actors];

    public void Dispose()
    {
        foreach (Actor? actor in (ReadOnlySpan<Actor?>)[.. LinuxActors, .. ManagedActors])
        {
            actor?.Dispose();
        }

        Linux.Dispose();
        Managed.Dispose();
    }
}
