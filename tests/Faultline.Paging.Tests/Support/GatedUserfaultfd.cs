using System;
using System.Threading;

namespace Faultline.Paging.Tests;

/// <summary>A context whose CONTINUE can be held up right before the engine sees it. It changes no answer and loses no call.</summary>
public sealed class GatedUserfaultfd(IUserfaultfd inner) : IUserfaultfd
{
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly ManualResetEventSlim _arrived = new();

    public IUserfaultfd Inner { get; } = inner;

    public UserfaultfdOptions Options => Inner.Options;

    public UserfaultfdFeatures Features => Inner.Features;

    /// <summary>The next CONTINUE waits until <see cref="Open"/>.</summary>
    public void Shut()
    {
        _arrived.Reset();
        _open.Reset();
    }

    public void Open() => _open.Set();

    /// <summary>Waits until a CONTINUE stands before the gate.</summary>
    public bool WaitForArrival() => _arrived.Wait(TimeSpan.FromSeconds(60), CancellationToken.None);

    public FillResult Continue(AddressRange range, FillModes modes = FillModes.None)
    {
        if (!_open.IsSet)
        {
            _arrived.Set();
            _open.Wait(TimeSpan.FromSeconds(60), CancellationToken.None);
        }

        return Inner.Continue(range, modes);
    }

    public SystemResult<UserfaultfdCounts> GetCounts() => Inner.GetCounts();

    public SystemResult<UserfaultfdApi> Handshake(UserfaultfdFeatures features, ulong api = UserfaultfdApi.Version) => Inner.Handshake(features, api);

    public RegisterResult Register(AddressRange range, RegisterModes modes) => Inner.Register(range, modes);

    public SystemResult Unregister(AddressRange range) => Inner.Unregister(range);

    public SystemResult Wake(AddressRange range) => Inner.Wake(range);

    public FillResult Copy(VirtualAddress target, ReadOnlySpan<byte> source, FillModes modes = FillModes.None) => Inner.Copy(target, source, modes);

    public FillResult Copy(AddressRange target, VirtualAddress source, FillModes modes = FillModes.None) => Inner.Copy(target, source, modes);

    public FillResult Zeropage(AddressRange range, FillModes modes = FillModes.None) => Inner.Zeropage(range, modes);

    public FillResult Poison(AddressRange range, FillModes modes = FillModes.None) => Inner.Poison(range, modes);

    public FillResult Move(VirtualAddress target, VirtualAddress source, ulong length, MoveModes modes = MoveModes.None) =>
        Inner.Move(target, source, length, modes);

    public SystemResult WriteProtect(AddressRange range, WriteProtectModes modes) => Inner.WriteProtect(range, modes);

    public SystemResult<int> Read(Span<UserfaultfdMessage> messages) => Inner.Read(messages);

    public void Dispose()
    {
        _open.Set();
        Inner.Dispose();
    }
}
