using System;
using System.IO;
using System.Threading.Tasks;
using Faultline.Paging;
using Microsoft.Extensions.Logging;

namespace Faultline.Hosting;

/// <summary>An image of the host that is open.</summary>
internal sealed class OpenImage(string name, IPageStore store, PagedMemory memory, HostedImageOptions options, ILogger logger) : IDisposable
{
    private Task<StoreRead>? _looking;
    private WorkingSetRecorder? _recorder;
    private WorkingSetReplay? _replay;

    public string Name => name;

    public PagedMemory Memory => memory;

    /// <summary>Begins to record and to replay, as the options say. What cannot be replayed is not worth a host that does not start.</summary>
    public void Begin()
    {
        _recorder = options.Record is null ? null : memory.Image.Record();
        if (options.Replay is not { } path)
        {
            return;
        }

        try
        {
            _replay = memory.Image.Replay(WorkingSet.Load(path));
        }
        catch (Exception cause) when (cause is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException)
        {
            FaultlineMessages.NotReplayed(logger, path, name, cause.Message);
        }
    }

    /// <summary>After the last use: writes the working set, and gives the store what was written.</summary>
    public void Finish()
    {
        _replay?.Dispose();
        if (_recorder is not null)
        {
            SaveRecorded(_recorder, options.Record!);
        }

        if (!options.WriteBack)
        {
            return;
        }

        try
        {
            memory.Image.Flush();
        }
        catch (WriteBackException cause)
        {
            FaultlineMessages.NotStored(logger, cause, name, cause.Message);
        }
    }

    /// <summary>Asks the store for its first byte. While it has not answered, it is not asked again.</summary>
    /// <returns>Null, or why it cannot be read.</returns>
    public async Task<string?> LookAsync(TimeSpan within)
    {
        Task<StoreRead> looking = _looking is { IsCompleted: false } still ? still : _looking = Task.Run(AskAsync);
        try
        {
            StoreRead read = await looking.WaitAsync(within).ConfigureAwait(false);
            return read.Cause?.Message;
        }
        catch (TimeoutException)
        {
            return $"the store did not answer within {within.TotalSeconds:0.###} seconds";
        }
        catch (Exception cause)
        {
            return cause.Message;
        }
    }

    public void Dispose()
    {
        _replay?.Dispose();
        _recorder?.Dispose();
        memory.Dispose();
        memory.Image.Dispose();
        store.Dispose();
    }

    /// <summary>On a thread of its own, for a store may hold up whoever asks.</summary>
    private async Task<StoreRead> AskAsync() => await store.ReadAsync(0, new byte[1], default).ConfigureAwait(false);

    private void SaveRecorded(WorkingSetRecorder recorder, string path)
    {
        try
        {
            recorder.ToWorkingSet().Save(path);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            FaultlineMessages.NotRecorded(logger, path, name, cause.Message);
        }
    }
}
