namespace Faultline.Verification.Kernel;

/// <summary>The steps that are system calls on an address space.</summary>
internal static class SpaceVerbs
{
    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if (side.Spaces[step.Space] is not { } space)
        {
            return default;
        }

        return step.Verb switch
        {
            StepVerb.Map or StepVerb.MapOver => Map(side, space, in step),
            StepVerb.Unmap => StepOutcome.Of(space.Unmap(step.Range).Errno),
            StepVerb.Protect => StepOutcome.Of(space.Protect(step.Range, (Protections)step.Mode).Errno),
            StepVerb.Remap => Remap(space, in step),
            StepVerb.Advise => StepOutcome.Of(space.Advise(step.Range, (Advice)step.Mode).Errno),
            StepVerb.Lock => StepOutcome.Of(space.Lock(step.Range).Errno),
            StepVerb.LockOnFault => StepOutcome.Of(space.LockOnFault(step.Range).Errno),
            _ => StepOutcome.Of(space.Unlock(step.Range).Errno),
        };
    }

    private static StepOutcome Map(EngineSide side, IAddressSpace space, in Step step)
    {
        var kind = (MapKind)step.Mode;
        bool isFile = kind.IsFile();
        if (isFile && side.Files[step.File] is null)
        {
            return default;
        }

        MapRequest request = new()
        {
            Address = step.Range.Start,
            Length = step.Range.Length,
            Protection = (Protections)step.Value,
            Options = (kind.IsShared() ? MapOptions.Shared : MapOptions.Private)
                | (kind.IsHugetlb() && !isFile ? MapOptions.HugeTlb : 0)
                | (isFile ? 0 : MapOptions.Anonymous)
                | (step.Verb == StepVerb.Map ? MapOptions.FixedNoReplace : MapOptions.Fixed),
            File = isFile ? side.Files[step.File] : null,
            Offset = (ulong)step.Other * PageSize.Small,
        };
        return Placed(space.Map(in request));
    }

    private static StepOutcome Remap(IAddressSpace space, in Step step) =>
        Placed(space.Remap(step.Range, step.Value * PageSize.Small, (RemapOptions)step.Mode, Arena.At(step.Other)));

    private static StepOutcome Placed(SystemResult<VirtualAddress> result) =>
        StepOutcome.Of(result.Errno, 0, result.Value.Value, result.IsOk ? Arena.Name(result.Value) : null);
}
