using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Hosting;

/// <summary>An image that the program adds, beside those of the configuration.</summary>
/// <param name="Name">Its name.</param>
/// <param name="OpenAsync">Opens its store.</param>
/// <param name="Options">What is done with it; its address is not looked at.</param>
internal sealed record ImageSource(string Name, Func<IServiceProvider, CancellationToken, Task<IPageStore>> OpenAsync, HostedImageOptions Options);
