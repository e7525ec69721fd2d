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
    public FaultlineBuilder AddImage(string name, string address)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(address);
        Services.Configure<FaultlineOptions>(options => options.Images[name] = new HostedImageOptions { Address = address });
        return this;
    }

    /// <summary>Adds an image from any store.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="open">Opens the store, before the host's services start. The store is disposed after they have stopped.</param>
    public FaultlineBuilder AddImage(string name, Func<IServiceProvider, CancellationToken, Task<IPageStore>> open)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(open);
        Services.AddSingleton(new ImageSource(name, open));
        return this;
    }
}
