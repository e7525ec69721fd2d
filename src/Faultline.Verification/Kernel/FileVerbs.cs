using System;

namespace Faultline.Verification.Kernel;

/// <summary>The steps on memory files; their pages are pages of the file.</summary>
internal static class FileVerbs
{
    public static StepOutcome Run(EngineSide side, in Step step)
    {
        ulong offset = unchecked(((ulong)step.Page * PageSize.Small) + (ulong)step.Skew);
        ulong length = unchecked(((ulong)step.Pages * PageSize.Small) + (ulong)step.Tail);
        if (step.Verb == StepVerb.MakeFile)
        {
            return Make(side, in step, length);
        }

        if (side.Files[step.File] is not { } file)
        {
            return default;
        }

        switch (step.Verb)
        {
            case StepVerb.Truncate:
                return StepOutcome.Of(file.Truncate(length).Errno);
            case StepVerb.Allocate:
                return StepOutcome.Of(file.Allocate(offset, length).Errno);
            case StepVerb.Punch:
                return StepOutcome.Of(file.PunchHole(offset, length).Errno);
            case StepVerb.Seal:
                SystemResult sealedNow = file.AddSeals((FileSeals)step.Mode);
                return StepOutcome.Of(sealedNow.Errno, 0, (ulong)file.GetSeals().Value);
            case StepVerb.FileWrite:
                Span<byte> source = stackalloc byte[(int)Math.Min(length, 2 * PageSize.Small)];
                Pattern.Fill(source, step.Value);
                SystemResult<int> written = file.Write(offset, source);
                return StepOutcome.Of(written.Errno, written.Value);
            default:
                Span<byte> target = stackalloc byte[(int)Math.Min(length, 2 * PageSize.Small)];
                SystemResult<int> read = file.Read(offset, target);
                return StepOutcome.Of(read.Errno, read.Value, read.IsOk ? Pattern.Hash(target[..read.Value]) : 0);
        }
    }

    private static StepOutcome Make(EngineSide side, in Step step, ulong size)
    {
        if (side.Files[step.File] is not null)
        {
            return default;
        }

        SystemResult<IMemoryFile> made = side.Engine.CreateMemoryFile(new MemoryFileOptions { Name = "fuzz", Size = size, HugePages = step.Mode != 0 });
        side.Files[step.File] = made.Value;
        return StepOutcome.Of(made.Errno);
    }
}
