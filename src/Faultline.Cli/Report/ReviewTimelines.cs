using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Faultline.Verification.Review;

namespace Faultline.Cli.Report;

/// <summary>The pictures of the histories: one caller and the states it sees, or two threads, a lock, and the states between them.</summary>
internal static class ReviewTimelines
{
    private const string Answer = "answer";

    public static void Append(StringBuilder html, ReviewFinding finding)
    {
        ReviewCall[] calls = [.. finding.Calls.Where(static call => call.Observed.Count > 0)];
        bool withAlias = finding.Calls.Any(static call => call.Text.Contains("alias", StringComparison.Ordinal));
        if (calls.Length > 0)
        {
            TimelinePicture.Append(html, $"{finding.Id}: the calls, and what is seen after each", calls.Length, Sequential(calls, withAlias), finding.Calls.Count - calls.Length + 1);
        }

        if (finding.Race is { } race)
        {
            TimelinePicture.Append(html, $"{finding.Id}: two threads, the lock and the state between them", race.Marks.Count, Concurrent(race.Marks));
        }
    }

    private static List<TimelineLane> Sequential(ReviewCall[] calls, bool withAlias)
    {
        List<TimelineLane> lanes =
        [
            new("caller", [.. calls.Select(static (call, i) => new TimelineSpan(i, i + 1, $"{call.Text} = {ValueOf(call.Observed, Answer)}", "call"))]),
        ];
        foreach (string name in calls.SelectMany(static call => call.Locks).Distinct(StringComparer.Ordinal))
        {
            IEnumerable<int> holders = calls.Index().Where(call => call.Item.Locks.Contains(name, StringComparer.Ordinal)).Select(static call => call.Index);
            lanes.Add(new($"lock {name}", [.. holders.Select(static i => new TimelineSpan(i, i + 1, "held", "state"))]));
        }

        foreach (string fact in NamesOf(calls))
        {
            if (fact.Contains("alias", StringComparison.Ordinal) && !withAlias)
            {
                continue;
            }

            bool isWrong = calls.Any(call => !IsRight(call, fact));
            if (fact != Answer || isWrong)
            {
                lanes.Add(new(fact, States(calls, call => ValueOf(call.Observed, fact), call => IsRight(call, fact) ? "state" : "wrong")));
            }

            if (isWrong)
            {
                lanes.Add(new("  should be", States(calls, call => ValueOf(call.Expected, fact), static _ => "right")));
            }
        }

        return lanes;
    }

    private static List<TimelineSpan> States(ReviewCall[] calls, Func<ReviewCall, string> value, Func<ReviewCall, string> css)
    {
        var spans = new List<TimelineSpan>();
        for (int i = 0; i < calls.Length; i++)
        {
            (string words, string style) = (value(calls[i]), css(calls[i]));
            if (spans is [.., { } last] && last.Words == words && last.Css == style)
            {
                spans[^1] = last with { To = i + 1 };
            }
            else
            {
                spans.Add(new(i, i + 1, words, style));
            }
        }

        return spans;
    }

    private static List<TimelineLane> Concurrent(IReadOnlyList<ReviewMark> marks)
    {
        var lanes = new List<TimelineLane>();
        foreach (string thread in marks.Select(static mark => mark.Thread).Distinct(StringComparer.Ordinal))
        {
            IEnumerable<(int Index, ReviewMark Item)> own = marks.Index().Where(mark => mark.Item.Thread == thread);
            lanes.Add(new(thread, [.. own.Select(static mark => new TimelineSpan(mark.Index, mark.Index + 1, mark.Item.What, "call"))]));
        }

        foreach (string subject in marks.Where(static mark => mark.Subject is not null).Select(static mark => mark.Subject!).Distinct(StringComparer.Ordinal))
        {
            lanes.Add(new(subject, StatesOf(marks, subject)));
        }

        return lanes;
    }

    private static List<TimelineSpan> StatesOf(IReadOnlyList<ReviewMark> marks, string subject)
    {
        var spans = new List<TimelineSpan>();
        int from = 0;
        string state = string.Empty;
        bool isWrong = false;
        foreach ((int index, ReviewMark mark) in marks.Index().Where(mark => mark.Item.Subject == subject))
        {
            if (state.Length > 0 && index > from)
            {
                spans.Add(new(from, index, state, "state"));
            }

            (from, state, isWrong) = (index, mark.State, mark.IsWrong);
        }

        if (state.Length > 0)
        {
            spans.Add(new(from, marks.Count, state, isWrong ? "wrong" : "state"));
        }

        return spans;
    }

    private static IEnumerable<string> NamesOf(ReviewCall[] calls) =>
        calls.SelectMany(static call => call.Expected.Concat(call.Observed)).Select(static fact => fact.Name).Distinct(StringComparer.Ordinal);

    private static bool IsRight(ReviewCall call, string fact) => ValueOf(call.Observed, fact) == ValueOf(call.Expected, fact);

    private static string ValueOf(IReadOnlyList<ReviewFact> facts, string name) => facts.FirstOrDefault(fact => fact.Name == name).Value ?? "-";
}
