using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Faultline.Stores;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Faultline.Hosting;

/// <summary>Opens the images before the host's services start, and closes everything in order after they have stopped.</summary>
internal sealed class HostedPager(
    IServiceProvider services,
    Pager pager,
    FaultlineImages images,
    IEnumerable<ImageSource> sources,
    IOptions<FaultlineOptions> options,
    ILoggerFactory loggers) : IHostedLifecycleService
{
    private readonly ILogger _logger = loggers.CreateLogger(FaultlineMessages.Category);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach ((string name, HostedImageOptions image) in options.Value.Images)
            {
                await OpenAsync(new ImageSource(name, (_, token) => OpenAddressAsync(image, token), image), cancellationToken).ConfigureAwait(false);
            }

            foreach (ImageSource source in sources)
            {
                await OpenAsync(source, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            images.Clear();
            throw;
        }
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (!await images.Uses.CloseAsync(options.Value.StopDeadline, cancellationToken).ConfigureAwait(false))
        {
            FaultlineMessages.StillUsed(_logger, images.Uses.Inside, options.Value.StopDeadline);
        }

        // Clients in other processes; those of the images' own mappings end with them.
        foreach (PagerClient client in pager.Clients)
        {
            if (!IsOfAnImage(client))
            {
                await DetachAsync(client, cancellationToken).ConfigureAwait(false);
            }
        }

        foreach (OpenImage image in images.All)
        {
            await Task.Run(image.Finish, CancellationToken.None).ConfigureAwait(false);
        }

        await pager.DisposeAsync().ConfigureAwait(false);
        images.Clear();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static async Task<IPageStore> OpenAddressAsync(HostedImageOptions image, CancellationToken cancellation)
    {
        IPageStore store = await StoreAddresses.WithHttp().OpenAsync(image.Address, cancellation).ConfigureAwait(false);
        if (!image.WriteBack || store is not FilePageStore)
        {
            return store;
        }

        // Plain bytes; those of a .flt file or a core dump are not the image's.
        store.Dispose();
        return new WritableFilePageStore(image.Address);
    }

    private async Task OpenAsync(ImageSource source, CancellationToken cancellation)
    {
        IPageStore store;
        try
        {
            store = await source.OpenAsync(services, cancellation).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or NotSupportedException or ImageFormatException)
        {
            throw new InvalidOperationException($"The image '{source.Name}' could not be opened: {cause.Message}", cause);
        }

        PagedImage? image = null;
        try
        {
            bool isWrittenBack = source.Options.WriteBack;
            if (isWrittenBack && store is not IWritablePageStore)
            {
                throw new InvalidOperationException(
                    $"The image '{source.Name}' is to be written back, and its {store.GetType().Name} takes no writes. Name a file of plain bytes" +
                    $" (of a .flt image, 'faultline image extract' makes one), a store that is an {nameof(IWritablePageStore)}, or leave WriteBack out.");
            }

            image = pager.OpenImage(store, source.Name, StoreOwnership.Caller);
            PagedMemory memory = pager.Map(image, isWrittenBack ? PagedMapping.Shared : PagedMapping.Private);
            var open = new OpenImage(source.Name, store, memory, source.Options, _logger);
            images.Add(open);
            open.Begin();
        }
        catch
        {
            image?.Dispose();
            store.Dispose();
            throw;
        }
    }

    private async Task DetachAsync(PagerClient client, CancellationToken cancellation)
    {
        try
        {
            await Task.Run(() => client.Detach(options.Value.DetachPolicy), CancellationToken.None)
                .WaitAsync(options.Value.StopDeadline, cancellation)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // The end of the pager makes errors of what it has not got.
            FaultlineMessages.NotCompleted(_logger, client.Name, options.Value.StopDeadline);
        }
    }

    private bool IsOfAnImage(PagerClient client)
    {
        foreach (OpenImage image in images.All)
        {
            if (ReferenceEquals(image.Memory.Client, client))
            {
                return true;
            }
        }

        return false;
    }
}
