using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Conformance;

namespace Faultline.Linux.Tests;

/// <summary>
/// A second process that makes a child whose thread sleeps in a fault nobody resolves, and then waits to be killed. It is this test
/// program, started with a variable set: the module initializer runs before the test runner does.
/// </summary>
internal static class OrphanProgram
{
    private const string Variable = "FAULTLINE_TEST_PROGRAM";
    private const string Name = "orphan";

    /// <summary>Starts it. It writes the process ids of its children in one line.</summary>
    internal static Process Start()
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        if (!Environment.ProcessPath!.EndsWith("Tests", StringComparison.Ordinal))
        {
            start.ArgumentList.Add(typeof(OrphanProgram).Assembly.Location);
        }

        start.Environment[Variable] = Name;
        // It is killed in the end, and would leave its sockets for debuggers in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    [ModuleInitializer]
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) == Name)
        {
            Run();
            Environment.Exit(0);
        }
    }

    private static void Run()
    {
        using LinuxEngine engine = new();
        IAddressSpace space = engine.CreateAddressSpace().OrThrow("clone");
        VirtualAddress at = space.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap");
        IUserfaultfd context = UserfaultfdHandshake.Open(
            space,
            UserfaultfdFeatures.None,
            options: UserfaultfdOptions.NonBlocking | UserfaultfdOptions.UserModeOnly).OrThrow("userfaultfd");
        new SystemResult(context.Register(new(at, PageSize.Small), RegisterModes.Missing).Errno).OrThrow("UFFDIO_REGISTER");
        IMemoryAccess access = space.OpenAccess().OrThrow("access");
        IAddressSpace copy = space.Fork().OrThrow("fork");
        IMemoryAccess other = copy.OpenAccess().OrThrow("access");
        Thread sleeper = new(() => access.Load(at, out _)) { IsBackground = true };
        sleeper.Start();
        using IUserfaultfdPoller poller = engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        _ = poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait");
        Console.WriteLine($"{ChildrenLifeTests.ProcessOf(access)} {ChildrenLifeTests.ProcessOf(other)}");
        _ = Console.ReadLine();
    }
}
