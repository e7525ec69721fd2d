using System;

namespace Faultline.Verification.Kernel;

/// <summary>The steps that touch memory.</summary>
internal static class AccessVerbs
{
    private const int MaximumBytes = 2 * (int)PageSize.Small;

    public static StepOutcome Run(IMemoryAccess? access, in Step step)
    {
        if (access is null)
        {
            return default;
        }

        VirtualAddress address = step.Range.Start;
        switch (step.Verb)
        {
            case StepVerb.Load:
                AccessResult loaded = access.Load(address.AlignDown(sizeof(ulong)), out ulong value);
                return StepOutcome.Of(loaded, value);
            case StepVerb.Store:
                return StepOutcome.Of(access.Store(address.AlignDown(sizeof(ulong)), step.Value), 0);
            case StepVerb.KernelRead:
                Span<byte> target = stackalloc byte[Length(in step)];
                target.Clear();
                AccessResult read = access.Read(address, target);
                return StepOutcome.Of(read, Pattern.Hash(target[..(int)read.BytesDone]));
            default:
                Span<byte> source = stackalloc byte[Length(in step)];
                Pattern.Fill(source, step.Value);
                return StepOutcome.Of(access.Write(address, source), 0);
        }
    }

    private static int Length(in Step step) => (int)Math.Min(step.Range.Length, MaximumBytes);
}
