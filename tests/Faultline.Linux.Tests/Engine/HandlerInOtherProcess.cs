using System;
using System.Diagnostics;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>A userfaultfd and a memory file sent to a real second process, which handles the faults of this one.</summary>
public sealed class HandlerInOtherProcess
{
    private const ulong Pages = 64;
    private const ulong Length = Pages * PageSize.Small;

    [Fact(Timeout = 200_000)]
    public async Task Faults_HandledByAnotherProcess_GiveItsContents()
    {
        Require.KernelFaults();
        string path = $"@faultline-test-handler-{Environment.ProcessId}";
        using DescriptorSocket listener = DescriptorSocket.Listen(path).OrThrow("listen");
        using Process handler = HandlerProgram.Start(path);
        try
        {
            using DescriptorSocket socket = listener.Accept(Deadline.NormalMs).OrThrow("accept");
            Assert.Equal(handler.Id, socket.GetPeerProcessId().OrThrow("getsockopt"));
            using LinuxEngine engine = new();
            using var file = (LinuxMemoryFile)engine.CreateMemoryFile(new() { Name = "handled", Size = Length }).OrThrow("memfd_create");
            VirtualAddress at = engine.Home.Map(MapRequest.SharedFile(file, Length)).OrThrow("mmap");
            using var context = (LinuxUserfaultfd)UserfaultfdHandshake.Open(engine.Home, UserfaultfdFeatures.MinorShmem).OrThrow("userfaultfd");
            byte[] place = [.. BitConverter.GetBytes(at.Value), .. BitConverter.GetBytes(Length)];
            socket.Send(place, context.Descriptor, file.Descriptor).OrThrow("sendmsg");
            Assert.Equal(1, socket.Receive(new byte[1], [], Deadline.NormalMs).OrThrow("recvmsg").Bytes);

            await Task.Run(() => CheckEveryPage(engine, at), TestContext.Current.CancellationToken)
                .WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
            socket.Dispose();
            await handler.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
            Assert.Equal(0, handler.ExitCode);
            engine.Home.Unmap(new(at, Length)).OrThrow("munmap");
        }
        finally
        {
            if (!handler.HasExited)
            {
                handler.Kill();
            }
        }
    }

    private static void CheckEveryPage(LinuxEngine engine, VirtualAddress at)
    {
        using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
        for (ulong page = 0; page < Pages; page++)
        {
            AccessResult result = access.Load(at + (page * PageSize.Small), out ulong value);
            Assert.True(result.IsOk);
            Assert.Equal(page * 0x0101010101010101, value);
        }
    }
}
