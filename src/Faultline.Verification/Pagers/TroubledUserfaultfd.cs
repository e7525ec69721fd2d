using System;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Pagers;

/// <summary>A userfaultfd that does what its <see cref="Troubles"/> say, and else what the inner one does.</summary>
internal sealed class TroubledUserfaultfd(IUserfaultfd inner, Troubles troubles, Action<string, Action> startThread) : IUserfaultfd
{
    private int _againLeft = troubles.AgainAnswers;

    public IUserfaultfd Inner { get; } = inner;

    public UserfaultfdOptions Options => Inner.Options;

    public UserfaultfdFeatures Features => Inner.Features;

    public SystemResult<UserfaultfdCounts> GetCounts() => Inner.GetCounts();

    public SystemResult<UserfaultfdApi> Handshake(UserfaultfdFeatures features, ulong api = UserfaultfdApi.Version) => Inner.Handshake(features, api);

    public RegisterResult Register(AddressRange range, RegisterModes modes) => Inner.Register(range, modes);

    public SystemResult Unregister(AddressRange range) => Inner.Unregister(range);

    public SystemResult Wake(AddressRange range) => troubles.ErrorsWakeNobody ? default : Inner.Wake(range);

    public FillResult Copy(VirtualAddress target, ReadOnlySpan<byte> source, FillModes modes = FillModes.None) =>
        IsRefused() ? Again : Woken(Inner.Copy(target, source, Quiet(modes)), target, modes);

    public FillResult Copy(AddressRange target, VirtualAddress source, FillModes modes = FillModes.None) =>
        IsRefused() ? Again : Woken(Inner.Copy(target, source, Quiet(modes)), target.Start, modes);

    public FillResult Zeropage(AddressRange range, FillModes modes = FillModes.None) =>
        IsRefused() ? Again : Woken(Inner.Zeropage(range, Quiet(modes)), range.Start, modes);

    public FillResult Continue(AddressRange range, FillModes modes = FillModes.None) =>
        IsRefused() ? Again : Woken(Inner.Continue(range, Quiet(modes)), range.Start, modes);

    public FillResult Poison(AddressRange range, FillModes modes = FillModes.None) =>
        IsRefused() ? Again : Woken(Inner.Poison(range, troubles.ErrorsWakeNobody ? modes | FillModes.DontWake : Quiet(modes)), range.Start, modes);

    public FillResult Move(VirtualAddress target, VirtualAddress source, ulong length, MoveModes modes = MoveModes.None) =>
        IsRefused() ? Again : Inner.Move(target, source, length, modes);

    public SystemResult WriteProtect(AddressRange range, WriteProtectModes modes) =>
        IsRefused() ? new SystemResult(Errno.EAGAIN) : Inner.WriteProtect(range, modes);

    public SystemResult<int> Read(Span<UserfaultfdMessage> messages)
    {
        SystemResult<int> read = Inner.Read(messages);
        foreach (ref UserfaultfdMessage message in messages[..(read.IsOk ? read.Value : 0)])
        {
            if (message.Forked is { } forked)
            {
                message = message with { Forked = new TroubledUserfaultfd(forked, troubles, startThread) };
            }
        }

        return read;
    }

    public void Dispose() => Inner.Dispose();

    /// <summary>As the kernel answers while an event is pending: the field has the error too.</summary>
    private static FillResult Again => new(Errno.EAGAIN, -(long)Errno.EAGAIN);

    private bool IsRefused()
    {
        if (troubles.AgainAnswers == 0)
        {
            return false;
        }

        Seam.Touch(this, TouchKind.Write);
        if (_againLeft == 0)
        {
            return false;
        }

        _againLeft--;
        return true;
    }

    private FillModes Quiet(FillModes modes) => troubles.SlowWakes ? modes | FillModes.DontWake : modes;

    private FillResult Woken(FillResult result, VirtualAddress start, FillModes modes)
    {
        if (troubles.SlowWakes && (modes & FillModes.DontWake) == 0 && result.BytesDone > 0)
        {
            AddressRange done = new(start, result.BytesDone);
            startThread("slow wake", () => Inner.Wake(done));
        }

        return result;
    }
}
