using System;

namespace Faultline.Verification.Kernel;

/// <summary>What kind of memory was mapped last at each page, of the arena and of the huge area.</summary>
internal sealed class KindMap
{
    private readonly MapKind?[] _small = new MapKind?[Arena.Pages];
    private MapKind?[]? _huge;

    public MapKind? this[int page]
    {
        get => (uint)page < Arena.Pages ? _small[page] : Arena.IsHuge(page) ? _huge?[page - Arena.HugeFirst] : null;

        private set
        {
            if ((uint)page < Arena.Pages)
            {
                _small[page] = value;
            }
            else if (Arena.IsHuge(page))
            {
                (_huge ??= new MapKind?[Arena.HugePages])[page - Arena.HugeFirst] = value;
            }
        }
    }

    /// <summary>Notes a step that was done.</summary>
    public void Note(in Step step)
    {
        if (step.Verb is StepVerb.Map or StepVerb.MapOver)
        {
            for (int page = Math.Max(step.Page, 0); page < Math.Min(step.Page + step.Pages, Arena.End); page++)
            {
                this[page] = (MapKind)step.Mode;
            }
        }
        else if (step.Verb == StepVerb.Remap && this[step.Page] is { } kind)
        {
            int target = ((RemapOptions)step.Mode & RemapOptions.Fixed) != 0 ? step.Other : step.Page;
            for (int page = target; page < Math.Min(target + (int)step.Value, Arena.End); page++)
            {
                this[page] = kind;
            }
        }
    }
}
