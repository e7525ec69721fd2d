using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Faultline.Verification.Kernel;

/// <summary>Steps as lines of text: <c>copy context=0 page=12 pages=3 mode=DontWake value=7</c>. What is zero is left out.</summary>
internal static class StepText
{
    public static string Write(in Step step)
    {
        var text = new StringBuilder(NameOf(step.Verb));
        Add(text, "space", step.Space);
        Add(text, "actor", step.Actor);
        Add(text, "context", step.Context);
        Add(text, "file", step.File);
        Add(text, "page", step.Page);
        Add(text, "pages", step.Pages);
        Add(text, "other", step.Other);
        if (step.Mode != 0 || step.Verb is StepVerb.Map or StepVerb.MapOver)
        {
            text.Append(" mode=").Append(WriteMode(step.Verb, step.Mode));
        }

        if (step.Value != 0)
        {
            text.Append(" value=").Append(WriteValue(step.Verb, step.Value));
        }

        Add(text, "skew", step.Skew);
        Add(text, "tail", step.Tail);
        return text.ToString();
    }

    /// <exception cref="FormatException">The line is not a step; the message says why.</exception>
    public static Step Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        StepVerb verb = VerbOf(words[0]);
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string word in words.AsSpan(1))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new FormatException($"'{word}' in '{line}' is not name=value.");
            }

            members[word[..equals]] = word[(equals + 1)..];
        }

        Step step = new()
        {
            Verb = verb,
            Space = Take(members, "space"),
            Actor = Take(members, "actor"),
            Context = Take(members, "context"),
            File = Take(members, "file"),
            Page = Take(members, "page"),
            Pages = Take(members, "pages"),
            Other = Take(members, "other"),
            Mode = members.Remove("mode", out string? mode) ? ParseMode(verb, mode) : 0,
            Value = members.Remove("value", out string? value) ? ParseValue(verb, value) : 0,
            Skew = Take(members, "skew"),
            Tail = Take(members, "tail"),
        };
        return members.Count == 0 ? step : throw new FormatException($"'{line}' has a member that steps do not have.");
    }

    /// <summary>The word for a verb: lower case, with hyphens.</summary>
    public static string NameOf(StepVerb verb)
    {
        var text = new StringBuilder();
        foreach (char letter in verb.ToString())
        {
            if (char.IsUpper(letter) && text.Length > 0)
            {
                text.Append('-');
            }

            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }

    private static StepVerb VerbOf(string word)
    {
        foreach (StepVerb verb in Enum.GetValues<StepVerb>())
        {
            if (NameOf(verb) == word)
            {
                return verb;
            }
        }

        throw new FormatException($"'{word}' is no verb of a step.");
    }

    private static void Add(StringBuilder text, string name, int value)
    {
        if (value != 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" {name}={value}");
        }
    }

    private static int Take(Dictionary<string, string> members, string name) =>
        members.Remove(name, out string? value) ? int.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;

    // Flags are written with | and without blanks, so that a step is words.
    private static string WriteMode(StepVerb verb, ulong mode) => (verb switch
    {
        StepVerb.Map or StepVerb.MapOver => ((MapKind)mode).ToString(),
        StepVerb.Protect => ((Protections)mode).ToString(),
        StepVerb.Remap => ((RemapOptions)mode).ToString(),
        StepVerb.Advise => ((Advice)mode).ToString(),
        StepVerb.Open => ((UserfaultfdFeatures)mode).ToString(),
        StepVerb.Register => ((RegisterModes)mode).ToString(),
        StepVerb.Copy or StepVerb.CopyFrom or StepVerb.Zeropage or StepVerb.Continue or StepVerb.Poison => ((FillModes)mode).ToString(),
        StepVerb.Move => ((MoveModes)mode).ToString(),
        StepVerb.Seal => ((FileSeals)mode).ToString(),
        StepVerb.WriteProtect => ((WriteProtectModes)mode).ToString(),
        _ => mode.ToString(CultureInfo.InvariantCulture),
    }).Replace(", ", "|", StringComparison.Ordinal);

    private static string WriteValue(StepVerb verb, ulong value) => verb == StepVerb.Open
        ? ((OpenWays)value).ToString().Replace(", ", "|", StringComparison.Ordinal)
        : value.ToString(CultureInfo.InvariantCulture);

    private static ulong ParseValue(StepVerb verb, string text) => verb == StepVerb.Open
        ? (ulong)Enum.Parse<OpenWays>(text.Replace('|', ','))
        : ulong.Parse(text, CultureInfo.InvariantCulture);

    private static ulong ParseMode(StepVerb verb, string text)
    {
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
        {
            return number;
        }

        text = text.Replace('|', ',');
        return verb switch
        {
            StepVerb.Map or StepVerb.MapOver => (ulong)Enum.Parse<MapKind>(text),
            StepVerb.Protect => (ulong)Enum.Parse<Protections>(text),
            StepVerb.Remap => (ulong)Enum.Parse<RemapOptions>(text),
            StepVerb.Advise => (ulong)Enum.Parse<Advice>(text),
            StepVerb.Open => (ulong)Enum.Parse<UserfaultfdFeatures>(text),
            StepVerb.Register => (ulong)Enum.Parse<RegisterModes>(text),
            StepVerb.Move => (ulong)Enum.Parse<MoveModes>(text),
            StepVerb.Seal => (ulong)Enum.Parse<FileSeals>(text),
            StepVerb.WriteProtect => (ulong)Enum.Parse<WriteProtectModes>(text),
            _ => (ulong)Enum.Parse<FillModes>(text),
        };
    }
}
