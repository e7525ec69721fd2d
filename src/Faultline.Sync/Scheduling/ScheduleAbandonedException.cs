using System;

namespace Faultline.Sync.Scheduling;

/// <summary>Unwinds the threads of a schedule that has failed. Not to be caught: the schedule is over.</summary>
public sealed class ScheduleAbandonedException() : Exception("This schedule has failed; its threads are being unwound.");
