using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Faultline.Verification.Kernel;

/// <summary>
/// Which tuples of verb, kind of memory, registered modes, state of the first entry, ways in which contexts are open, and outcome were reached; by
/// one worker, or by all. Not safe for
/// concurrent callers.
/// </summary>
internal sealed class Coverage
{
    private const int WaysShift = 32;

    private readonly Dictionary<ulong, long> _counts = [];

    public int Count => _counts.Count;

    /// <summary>The tuple's number for a step that is about to be done; the outcome is added by <see cref="Add"/>.</summary>
    public static ulong Before(in Step step, PairRun run)
    {
        int page = Math.Clamp(step.Page, 0, Arena.End - 1);
        RegisterModes modes = 0;
        bool isMapped = false;
        foreach (VmaInfo mapping in run.Mappings)
        {
            if (mapping.Range.Contains(Arena.At(page)))
            {
                modes = mapping.RegisteredModes;
                isMapped = true;
            }
        }

        ulong kind = isMapped && run.KindOf(page) is { } known ? (ulong)known + 1 : 0;
        ulong ways = modes == 0 ? 0UL : (ulong)run.Managed.AllWays;
        return (ulong)step.Verb << 56 | kind << 52 | (ulong)modes << 48 | (ulong)run.StateOf(page) << 40 | ways << WaysShift;
    }

    /// <summary>Notes a tuple.</summary>
    /// <returns>Whether it is the first time.</returns>
    public bool Add(ulong before, in StepOutcome outcome)
    {
        ulong tuple = before | (ulong)outcome.Kind << 16 | (uint)outcome.Code << 1 | (outcome.Field > 0 && outcome.Code != 0 ? 1UL : 0);
        bool isNew = !_counts.TryGetValue(tuple, out long count);
        _counts[tuple] = count + 1;
        return isNew;
    }

    /// <summary>Adds all of another's.</summary>
    public void Merge(Coverage other)
    {
        foreach ((ulong tuple, long count) in other._counts)
        {
            _counts[tuple] = _counts.GetValueOrDefault(tuple) + count;
        }
    }

    /// <summary>The tuples in words, most frequent first: verb, kind, modes, state, outcome, times.</summary>
    public IReadOnlyList<string> Describe() =>
        [.. _counts.OrderByDescending(static pair => pair.Value).Select(static pair => string.Create(CultureInfo.InvariantCulture, $"{Name(pair.Key)} {pair.Value}"))];

    /// <summary>For the verbs that work on entries: which kinds of memory and states of the first entry they never met.</summary>
    public IReadOnlyList<string> NeverReached()
    {
        HashSet<ulong> met = [.. _counts.Keys.Select(static tuple => Combination(tuple))];
        var missing = new List<string>();
        foreach (StepVerb verb in Enum.GetValues<StepVerb>().Where(WorksOnEntries))
        {
            for (int kind = 1; kind <= MapKinds.Count; kind++)
            {
                missing.AddRange(Enum.GetValues<EntryState>()
                    .Where(state => IsPossible((MapKind)(kind - 1), state) && !met.Contains((ulong)verb << 56 | (ulong)kind << 52 | (ulong)state << 40))
                    .Select(state => $"{StepText.NameOf(verb)} {(MapKind)(kind - 1)} {state}"));
            }
        }

        return missing;
    }

    /// <summary>What pagemap says of an entry.</summary>
    public static EntryState StateOf(PagemapEntry entry) => entry switch
    {
        { IsGuard: true } => EntryState.Guard,
        { IsPresent: true, IsFile: true } => entry.IsUserfaultfdWriteProtected ? EntryState.ProtectedOfFile : EntryState.OfFile,
        { IsPresent: true, IsUserfaultfdWriteProtected: true } => EntryState.Protected,
        { IsPresent: true } => entry.IsExclusive ? EntryState.Own : EntryState.Borrowed,
        { IsSwap: true } when (entry.Value & 0x1F) == 0x1F => entry.IsUserfaultfdWriteProtected ? EntryState.ProtectMarker : EntryState.Poison,
        { IsSwap: true } => entry.IsUserfaultfdWriteProtected ? EntryState.ProtectedSwapped : EntryState.Swapped,
        _ => EntryState.None,
    };

    private static bool WorksOnEntries(StepVerb verb) =>
        verb is >= StepVerb.Unmap and <= StepVerb.KernelWrite and not (StepVerb.ReadMessages or StepVerb.Open or StepVerb.Close);

    private static ulong Combination(ulong tuple) => tuple & 0xFFF0_FF00_0000_0000;

    private static bool IsPossible(MapKind kind, EntryState state) => state switch
    {
        EntryState.Own or EntryState.Borrowed or EntryState.Protected => kind is MapKind.Anonymous or MapKind.PrivateFile,
        EntryState.OfFile or EntryState.ProtectedOfFile => kind != MapKind.Anonymous,
        EntryState.Swapped or EntryState.ProtectedSwapped => kind is MapKind.Anonymous or MapKind.PrivateFile,
        _ => true,
    };

    private static string Name(ulong tuple)
    {
        ulong kind = tuple >> 52 & 0xF;
        string memory = kind == 0 ? "unmapped" : ((MapKind)(kind - 1)).ToString();
        string words = ((RegisterModes)(tuple >> 48 & 0xF)).ToString().Replace(", ", "|", StringComparison.Ordinal);
        StepOutcome outcome = new((OutcomeKind)(tuple >> 16 & 0xFF), (int)(tuple >> 1 & 0x7FFF), (long)(tuple & 1));
        var ways = (OpenWays)(tuple >> WaysShift & 0xFF);
        string opened = ways == OpenWays.None ? string.Empty : " " + ways.ToString().Replace(", ", "|", StringComparison.Ordinal);
        return $"{StepText.NameOf((StepVerb)(tuple >> 56))} {memory} {words} {(EntryState)(tuple >> 40 & 0xFF)}{opened} {outcome.Name}";
    }
}
