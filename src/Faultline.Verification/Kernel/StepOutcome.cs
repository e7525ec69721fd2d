using System;
using System.Globalization;

namespace Faultline.Verification.Kernel;

/// <summary>What a step answered. Two outcomes are equal if every part is.</summary>
/// <param name="Kind">What kind of answer.</param>
/// <param name="Code">An error number, or the kind of a fault.</param>
/// <param name="Field">A number besides: the progress field, a count, the bytes done.</param>
/// <param name="Value">A further number: what was loaded, a mask.</param>
/// <param name="Text">What does not fit in numbers: messages, regions. Null if there is nothing.</param>
internal readonly record struct StepOutcome(OutcomeKind Kind, int Code = 0, long Field = 0, ulong Value = 0, string? Text = null)
{
    public static StepOutcome Of(Errno errno, long field = 0, ulong value = 0, string? text = null) =>
        new(OutcomeKind.Call, (int)errno, field, value, text);

    public static StepOutcome Of(FillResult result) => new(OutcomeKind.Call, (int)result.Errno, result.Field);

    public static StepOutcome Of(AccessResult result, ulong value) =>
        new(OutcomeKind.Access, (int)result.Fault, (long)result.BytesDone, value, result.Address.Value == 0 ? null : Arena.Name(result.Address));

    public static StepOutcome Of(Exception failure) =>
        new(OutcomeKind.Threw, Text: $"{failure.GetType().Name}: {failure.Message} {failure.StackTrace?.Split('\n')[0].Trim()}");

    /// <summary>The short name for coverage: the error or the fault, not the numbers.</summary>
    public string Name => Kind switch
    {
        OutcomeKind.Call => Code == 0 ? "ok" : ((Errno)Code).ToString() + (Field > 0 ? "+" : string.Empty),
        OutcomeKind.Access => ((AccessFault)Code).ToString(),
        _ => Kind.ToString(),
    };

    public override string ToString()
    {
        string text = Name;
        if (Field == FillResult.FieldUntouched)
        {
            text += " (field not written)";
        }
        else if (Field != 0)
        {
            text += string.Create(CultureInfo.InvariantCulture, $" ({Field})");
        }

        if (Value != 0)
        {
            text += string.Create(CultureInfo.InvariantCulture, $" 0x{Value:x}");
        }

        return Text is null ? text : $"{text} {Text}";
    }
}
