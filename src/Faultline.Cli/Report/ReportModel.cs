using System.Collections.Generic;
using Faultline.Cli.Json;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>All that a report shows.</summary>
/// <param name="Document">What <c>--json</c> prints.</param>
/// <param name="Runs">The run through minor faults first, then the comparisons.</param>
/// <param name="Machine">One line about the machine.</param>
internal sealed record ReportModel(RestoreDocument Document, IReadOnlyList<RunResult> Runs, string Machine);
