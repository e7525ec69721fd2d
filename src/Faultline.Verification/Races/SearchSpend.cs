namespace Faultline.Verification.Races;

/// <summary>How much a search may spend: it ends with whichever comes first.</summary>
/// <param name="Milliseconds">About how long. What is found within a time depends on the machine.</param>
/// <param name="Schedules">How many schedules, those counted that were cut short as repetitions. What is found within so many does not.</param>
internal readonly record struct SearchSpend(double Milliseconds = double.MaxValue, long Schedules = long.MaxValue);
