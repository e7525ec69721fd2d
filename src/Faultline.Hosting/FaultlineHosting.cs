using System;
using System.Linq;
using Faultline.Linux;
using Faultline.Mm;
using Faultline.Paging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Faultline.Hosting;

/// <summary>Puts a pager into a .NET host.</summary>
public static class FaultlineHosting
{
    /// <summary>The name of the health check, and of its tag.</summary>
    public const string HealthCheckName = "faultline";

    /// <summary>
    /// Adds a pager to a host: <see cref="Pager"/>, its <see cref="IMemoryEngine"/> and <see cref="FaultlineImages"/> as services, and a health check called
    /// <c>faultline</c>. Options come from the section <c>Faultline</c> of the configuration, and are checked before the host starts.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Changes the options, after the configuration.</param>
    public static FaultlineBuilder AddFaultline(this IServiceCollection services, Action<FaultlineOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<FaultlineOptions> options = services.AddOptions<FaultlineOptions>().BindConfiguration(FaultlineOptions.Section).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        if (services.Any(static service => service.ServiceType == typeof(FaultlineImages)))
        {
            // Added before: there is one pager, and these are more options for it.
            return new FaultlineBuilder(services);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FaultlineOptions>, FaultlineOptionsValidation>());
        services.TryAddSingleton(static provider => OpenEngine(provider.GetRequiredService<IOptions<FaultlineOptions>>().Value));
        services.TryAddSingleton(OpenPager);
        services.TryAddSingleton(static _ => new FaultlineImages());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HostedPager>());
        services.TryAddSingleton<FaultlineHealthCheck>();
        services.AddHealthChecks().AddCheck<FaultlineHealthCheck>(HealthCheckName, failureStatus: null, tags: [HealthCheckName]);
        return new FaultlineBuilder(services);
    }

    private static IMemoryEngine OpenEngine(FaultlineOptions options)
    {
        if (options.Engine == HostedEngine.Managed)
        {
            return new ManagedEngine(new ManagedEngineOptions { MemoryBytes = options.ManagedMemoryBytes });
        }

        var engine = new LinuxEngine();
        if (engine.Capabilities.Userfaultfd is { IsAvailable: false } missing)
        {
            engine.Dispose();
            throw new InvalidOperationException(
                $"The kernel's userfaultfd cannot be used: {missing.Reason} Set {FaultlineOptions.Section}:{nameof(options.Engine)} to Managed to do without it.");
        }

        return engine;
    }

    private static Pager OpenPager(IServiceProvider services)
    {
        FaultlineOptions options = services.GetRequiredService<IOptions<FaultlineOptions>>().Value;
        var usual = options.ToPagerOptions();
        EvictionPolicySource? policy = services.GetServices<EvictionPolicySource>()
            .LastOrDefault(source => string.Equals(source.Name, options.EvictionPolicy, StringComparison.OrdinalIgnoreCase));
        return new Pager(
            services.GetRequiredService<IMemoryEngine>(),
            usual with
            {
                LoggerFactory = services.GetService<ILoggerFactory>(),
                Budget = usual.Budget is { } budget ? budget with { Policy = policy?.Create } : null,
            });
    }
}
