using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Cli.Commands;

/// <summary>Ctrl-C and its relatives: the first one cancels, so that everything is ended and removed in order.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode = Cli.ExitCode.Interrupted;

    public Interruption() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Cancel(context, Cli.ExitCode.Interrupted)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Cancel(context, Cli.ExitCode.Terminated)),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Cancel(context, Cli.ExitCode.Interrupted)),
    ];

    public CancellationToken Token => _source.Token;

    public int ExitCode => _exitCode;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Cancel(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true;
        _exitCode = exitCode;
        _source.Cancel();
    }
}
