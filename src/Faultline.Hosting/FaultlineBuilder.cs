using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Microsoft.Extensions.DependencyInjection;

namespace Faultline.Hosting;

/// <summary>Adds to a host's pager.</summary>
public sealed class FaultlineBuilder
{
    internal FaultlineBuilder(IServiceCollection services) => Services = services;

    /// <summary>The host's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds an image by its address.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="address">A file's path, or an address that begins with http or https.</param>
    /// <param name="configure">Says what else is done with it; null for nothing.</param>
    public FaultlineBuilder AddImage(string name, string address, Action<HostedImageOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(address);
        Services.Configure<FaultlineOptions>(options =>
        {
            var image = new HostedImageOptions { Address = address };
            configure?.Invoke(image);
            options.Images[name] = image;
        });
        return this;
    }

    /// <summary>Adds an image from any store.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="open">Opens the store, before the host's services start. The store is disposed after they have stopped.</param>
    /// <param name="configure">Says what else is done with it; null for nothing.</param>
    public FaultlineBuilder AddImage(
        string name, Func<IServiceProvider, CancellationToken, Task<IPageStore>> open, Action<HostedImageOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(open);
        var options = new HostedImageOptions();
        configure?.Invoke(options);
        Services.AddSingleton(new ImageSource(name, open, options));
        return this;
    }

    /// <summary>Adds an eviction policy that <see cref="FaultlineOptions.EvictionPolicy"/> may name, beside <c>Clock</c>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="create">Makes the policy of one image.</param>
    public FaultlineBuilder AddEvictionPolicy(string name, Func<IEvictionPolicy> create)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(create);
        Services.AddSingleton(new EvictionPolicySource(name, create));
        return this;
    }
}
