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
        else if (step.Verb == StepVerb.Remap)
        {
            NoteRemap(in step);
        }
    }

    // Several mappings may move at once; what grows is as the last page was.
    private void NoteRemap(in Step step)
    {
        int target = ((RemapOptions)step.Mode & RemapOptions.Fixed) != 0 ? step.Other : step.Page;
        int pages = (int)Math.Min(step.Value, Arena.End);
        var moved = new MapKind?[pages];
        for (int i = 0; i < pages; i++)
        {
            moved[i] = this[step.Page + Math.Min(i, Math.Max(step.Pages, 1) - 1)];
        }

        for (int i = 0; i < pages; i++)
        {
            this[target + i] = moved[i] ?? this[target + i];
        }
    }
}
