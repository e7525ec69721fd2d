namespace Faultline.Paging;

/// <summary>Measures the parts of a fault's life, for those who listen. Allocates nothing. No lock is held: listeners are other people's code.</summary>
internal static class FaultTimes
{
    public const string Missing = "missing";
    public const string Minor = "minor";
    public const string WriteProtect = "write_protect";
    public const string Continue = "continue";
    public const string Copy = "copy";
    public const string Zeropage = "zeropage";
    public const string Poison = "poison";
    public const string Unprotect = "unprotect";

    /// <summary>The time, if someone listens; else zero.</summary>
    public static long Begin(PagerCore core) => PagerMetrics.IsTimed ? core.Now() : 0;

    /// <summary>A fault is taken up: for the first time, or again after its load has ended.</summary>
    public static void TakenUp(PagerCore core, in PageFault fault)
    {
        if (fault.LoadTicks == PageFault.NotTakenUp)
        {
            PagerMetrics.QueueDuration.Record(core.Seconds(fault.ReadAt, core.Now()), core.NameTag, new(TelemetryTag.Kind, NameOf(fault.Kind)));
        }
        else if (fault.LoadTicks > 0)
        {
            PagerMetrics.LoadDuration.Record(core.Seconds(0, fault.LoadTicks), core.NameTag, new(TelemetryTag.Kind, NameOf(fault.Kind)));
        }
    }

    /// <summary>An install is over.</summary>
    /// <param name="core">The pager.</param>
    /// <param name="verb">Its verb.</param>
    /// <param name="begun">When it began (<see cref="Begin"/>).</param>
    /// <param name="ended">When it was over.</param>
    public static void Installed(PagerCore core, string verb, long begun, long ended)
    {
        if (begun != 0)
        {
            PagerMetrics.InstallDuration.Record(core.Seconds(begun, ended), core.NameTag, new(TelemetryTag.Verb, verb));
        }
    }

    /// <summary>A wake is over.</summary>
    public static void Woken(PagerCore core, long begun)
    {
        if (begun != 0)
        {
            PagerMetrics.WakeDuration.Record(core.Seconds(begun, core.Now()), core.NameTag);
        }
    }

    /// <summary>A fault's thread has been woken.</summary>
    public static void Settled(PagerCore core, in PageFault fault, long now) =>
        PagerMetrics.FaultDuration.Record(core.Seconds(fault.ReadAt, now), core.NameTag, new(TelemetryTag.Kind, NameOf(fault.Kind)));

    public static string VerbOf(PlanKind kind) => kind switch
    {
        PlanKind.Continue or PlanKind.ContinueWritable => Continue,
        PlanKind.Zero => Zeropage,
        PlanKind.Poison => Poison,
        _ => Unprotect,
    };

    private static string NameOf(PageFaultKind kind) => kind switch
    {
        PageFaultKind.Minor => Minor,
        PageFaultKind.WriteProtect => WriteProtect,
        _ => Missing,
    };
}
