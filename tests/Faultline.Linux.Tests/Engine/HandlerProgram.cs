using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Linux.Tests;

/// <summary>
/// A second process that receives a userfaultfd and a memory file over a socket and handles the faults, until the socket closes: this test
/// program, started with a variable set.
/// </summary>
internal static class HandlerProgram
{
    private const string Variable = "FAULTLINE_TEST_HANDLER_SOCKET";
    private const int DeadlineMs = 60_000;

    /// <summary>Starts it; it connects to the socket's path.</summary>
    internal static Process Start(string socketPath)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (!Environment.ProcessPath!.EndsWith("Tests", StringComparison.Ordinal))
        {
            start.ArgumentList.Add(typeof(HandlerProgram).Assembly.Location);
        }

        start.Environment[Variable] = socketPath;
        return Process.Start(start)!;
    }

    [ModuleInitializer]
    internal static void RunIfAsked()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        if (path is not null)
        {
            Environment.Exit(Run(path));
        }
    }

    // The faulting process says in 16 bytes where its area begins and how long it is. Even pages are put into the file beforehand, and fault as
    // minor; odd ones fault as missing.
    private static int Run(string path)
    {
        using DescriptorSocket socket = DescriptorSocket.Connect(path).OrThrow("connect");
        byte[] place = new byte[16];
        var handles = new SafeFileHandle[2];
        ReceivedMessage received = socket.Receive(place, handles, DeadlineMs).OrThrow("recvmsg");
        if (received != new ReceivedMessage(16, 2, IsTruncated: false))
        {
            return 1;
        }

        using LinuxEngine engine = new();
        using LinuxUserfaultfd context = LinuxUserfaultfd.FromDescriptor(handles[0]).OrThrow("fdinfo");
        using LinuxMemoryFile file = LinuxMemoryFile.FromDescriptor(handles[1]).OrThrow("fstatfs");
        VirtualAddress start = new(BitConverter.ToUInt64(place));
        ulong length = BitConverter.ToUInt64(place, 8);
        if (!context.Register(new(start, length), RegisterModes.Missing | RegisterModes.Minor).IsOk)
        {
            return 2;
        }

        byte[] page = new byte[PageSize.Small];
        for (ulong offset = 0; offset < length; offset += 2 * PageSize.Small)
        {
            Array.Fill(page, (byte)(offset >> PageSize.SmallShift));
            _ = file.Write(offset, page).OrThrow("pwrite");
        }

        socket.Send("r"u8).OrThrow("sendmsg");
        var messages = new UserfaultfdMessage[8];
        using IUserfaultfdPoller poller = engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        for (ulong done = 0; done < length / PageSize.Small;)
        {
            if (poller.Wait(new long[1], DeadlineMs).OrThrow("epoll_wait") == 0)
            {
                return 3;
            }

            int count = context.Read(messages) is { IsOk: true } read ? read.Value : 0;
            for (int i = 0; i < count; i++, done++)
            {
                VirtualAddress address = messages[i].Address;
                Array.Fill(page, (byte)(address - start >> PageSize.SmallShift));
                bool isEven = (address - start >> PageSize.SmallShift) % 2 == 0;
                FillResult result = isEven ? context.Continue(new(address, PageSize.Small)) : context.Copy(address, page);
                if (!result.IsOk || messages[i].Kind != (isEven ? PageFaultKind.Minor : PageFaultKind.Missing))
                {
                    return 4;
                }
            }
        }

        // The owner ends when its socket does; a fill then finds nobody.
        return socket.Receive(place, [], DeadlineMs).OrThrow("recvmsg").Bytes == 0 ? 0 : 5;
    }
}
