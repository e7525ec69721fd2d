using System;

namespace Faultline.Verification.Kernel;

/// <summary>The steps that are calls on a userfaultfd.</summary>
internal static class ContextVerbs
{
    private const int MaximumCopyPages = 8;

    [ThreadStatic]
    private static byte[]? _large;

    public static StepOutcome Run(EngineSide side, in Step step)
    {
        if (step.Verb == StepVerb.Open)
        {
            return Open(side, in step);
        }

        if (side.Contexts[step.Context] is not { } context)
        {
            return default;
        }

        AddressRange range = step.Range;
        switch (step.Verb)
        {
            case StepVerb.Move or StepVerb.CopyFrom when side.IsOrphaned(step.Context):
                return default;
            case StepVerb.Close:
                if (side.IsInUse(step.Context))
                {
                    return new(OutcomeKind.Busy);
                }

                side.CloseContext(step.Context);
                return StepOutcome.Of(Errno.None);
            case StepVerb.Register:
                RegisterResult registered = context.Register(range, (RegisterModes)step.Mode);
                return StepOutcome.Of(registered.Errno, 0, (ulong)registered.Ioctls);
            case StepVerb.Unregister:
                return StepOutcome.Of(context.Unregister(range).Errno);
            case StepVerb.Wake:
                return StepOutcome.Of(context.Wake(range).Errno);
            case StepVerb.Copy:
                return Copy(context, in step);
            case StepVerb.CopyFrom:
                return StepOutcome.Of(context.Copy(range, Arena.At(step.Other), (FillModes)step.Mode));
            case StepVerb.Zeropage:
                return StepOutcome.Of(context.Zeropage(range, (FillModes)step.Mode));
            case StepVerb.Continue:
                return StepOutcome.Of(context.Continue(range, (FillModes)step.Mode));
            case StepVerb.Poison:
                return StepOutcome.Of(context.Poison(range, (FillModes)step.Mode));
            case StepVerb.Move:
                return StepOutcome.Of(context.Move(range.Start, Arena.At(step.Other), range.Length, (MoveModes)step.Mode));
            default:
                return StepOutcome.Of(context.WriteProtect(range, (WriteProtectModes)step.Mode).Errno);
        }
    }

    private static StepOutcome Open(EngineSide side, in Step step)
    {
        if (side.Contexts[step.Context] is not null || side.Spaces[step.Space] is not { } space)
        {
            return default;
        }

        var ways = (OpenWays)step.Value;
        UserfaultfdOptions options = UserfaultfdOptions.CloseOnExec
            | (ways.HasFlag(OpenWays.Blocking) ? 0 : UserfaultfdOptions.NonBlocking)
            | (ways.HasFlag(OpenWays.UserModeOnly) ? UserfaultfdOptions.UserModeOnly : 0);
        SystemResult<IUserfaultfd> opened = space.OpenUserfaultfd(options);
        if (!opened.IsOk)
        {
            return StepOutcome.Of(opened.Errno);
        }

        SystemResult<UserfaultfdApi> api = opened.Value.Handshake((UserfaultfdFeatures)step.Mode);
        side.AddContext(step.Context, opened.Value, step.Space);
        return StepOutcome.Of(api.Errno, 0, (ulong)api.Value.Features);
    }

    private static StepOutcome Copy(IUserfaultfd context, in Step step)
    {
        Span<byte> source = stackalloc byte[(int)Math.Min(step.Range.Length, MaximumCopyPages * PageSize.Small)];
        if (Arena.IsHuge(step.Page) && step.Range.Length is > MaximumCopyPages * PageSize.Small and <= 2 * PageSize.Huge)
        {
            _large ??= new byte[2 * PageSize.Huge];
            source = _large.AsSpan(0, (int)step.Range.Length);
        }

        Pattern.Fill(source, step.Value);
        return StepOutcome.Of(context.Copy(step.Range.Start, source, (FillModes)step.Mode));
    }
}
