namespace Faultline.Paging;

/// <summary>The names of the attributes of measurements and activities.</summary>
internal static class TelemetryTag
{
    public const string Pager = "faultline.pager.name";
    public const string Image = "faultline.image.name";
    public const string Kind = "faultline.fault.kind";
    public const string Reason = "faultline.retry.reason";
    public const string Verb = "faultline.install.verb";
    public const string State = "faultline.fault.state";
    public const string Outcome = "faultline.load.outcome";
    public const string Offset = "faultline.load.offset";
    public const string Length = "faultline.load.length";
    public const string Guess = "faultline.load.guess";
    public const string Store = "faultline.store.type";
    public const string Attempts = "faultline.store.attempts";
    public const string Error = "error.type";
}
