using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Faultline.Hosting;

/// <summary>
/// Unhealthy: the engine cannot be used, images are not open, or no handler thread gives a sign of life. Degraded: a store cannot be read; what is in memory
/// is served all the same.
/// </summary>
internal sealed class FaultlineHealthCheck(Pager pager, FaultlineImages images, IOptions<FaultlineOptions> options) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        Capability userfaultfd = pager.Engine.Capabilities.Userfaultfd;
        if (!userfaultfd.IsAvailable)
        {
            return HealthCheckResult.Unhealthy($"The engine '{pager.Engine.Name}' cannot be used: {userfaultfd.Reason}");
        }

        if (!await pager.IsAliveAsync(options.Value.HealthDeadline).ConfigureAwait(false))
        {
            return HealthCheckResult.Unhealthy($"No thread of the pager gave a sign of life within {options.Value.HealthDeadline}.");
        }

        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        List<string> troubles = [];
        foreach (OpenImage image in images.All)
        {
            string? trouble = await image.LookAsync(options.Value.HealthDeadline).ConfigureAwait(false);
            ImageStatistics statistics = image.Memory.Image.GetStatistics();
            data[$"{image.Name}.residentBytes"] = statistics.ResidentBytes;
            data[$"{image.Name}.failedLoads"] = statistics.FailedLoads;
            if (trouble is not null)
            {
                troubles.Add($"The store of '{image.Name}' cannot be read: {trouble.TrimEnd('.')}.");
            }
        }

        return troubles.Count == 0
            ? HealthCheckResult.Healthy($"{data.Count / 2} images, on the engine '{pager.Engine.Name}'.", data)
            : HealthCheckResult.Degraded(string.Join(' ', troubles), exception: null, data);
    }
}
