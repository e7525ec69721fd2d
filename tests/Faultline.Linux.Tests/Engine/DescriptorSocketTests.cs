using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Conformance;
using Faultline.Linux.Abi;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class DescriptorSocketTests
{
    [Fact]
    public void Receive_OfSentDescriptors_GivesSameFilesWithBytes()
    {
        Require.KernelFaults();
        using LinuxEngine engine = new();
        Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket sender = first;
        using DescriptorSocket receiver = second;
        using var file = (LinuxMemoryFile)engine.CreateMemoryFile(new() { Name = "sent", Size = 8192 }).OrThrow("memfd_create");
        using var context = (LinuxUserfaultfd)UserfaultfdHandshake
            .Open(engine.Home, UserfaultfdFeatures.ThreadId | UserfaultfdFeatures.WriteProtectAsync).OrThrow("userfaultfd");
        _ = file.Write(0, "content"u8).OrThrow("pwrite");

        sender.Send("hello"u8, file.Descriptor, context.Descriptor).OrThrow("sendmsg");
        byte[] bytes = new byte[16];
        var handles = new SafeFileHandle[4];
        ReceivedMessage received = receiver.Receive(bytes, handles, Deadline.NormalMs).OrThrow("recvmsg");

        Assert.Equal(new ReceivedMessage(5, 2, IsTruncated: false), received);
        Assert.Equal("hello"u8, bytes.AsSpan(0, 5));
        using LinuxMemoryFile fileHere = LinuxMemoryFile.FromDescriptor(handles[0]).OrThrow("fstatfs");
        using LinuxUserfaultfd contextHere = LinuxUserfaultfd.FromDescriptor(handles[1], engine.Home).OrThrow("fdinfo");
        Assert.Equal(7, fileHere.Read(0, bytes.AsSpan(0, 7)).OrThrow("pread"));
        Assert.Equal("content"u8, bytes.AsSpan(0, 7));
        Assert.Equal(PageSize.Small, fileHere.PageSizeBytes);
        Assert.Equal(context.Features, contextHere.Features);
        Assert.True(contextHere.Features.HasFlag(UserfaultfdFeatures.WriteProtectUnpopulated));
        Assert.Equal(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec, contextHere.Options);
        Assert.Equal(Errno.EAGAIN, contextHere.Read(new UserfaultfdMessage[1]).Errno);
    }

    [Fact]
    public void FromDescriptor_OfFileThatIsNoUserfaultfd_AnswersEinvalAndLeavesHandleOpen()
    {
        using SafeFileHandle handle = File.OpenHandle("/proc/self/status");
        Assert.Equal(Errno.EINVAL, LinuxUserfaultfd.FromDescriptor(handle).Errno);
        Assert.False(handle.IsInvalid);
    }

    [Fact]
    public void FromDescriptor_BeforeHandshake_HasNoFeaturesAndCanShakeHands()
    {
        Require.KernelFaults();
        using LinuxEngine engine = new();
        Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket sender = first;
        using DescriptorSocket receiver = second;
        using var context = (LinuxUserfaultfd)engine.Home.OpenUserfaultfd(UserfaultfdOptions.CloseOnExec).OrThrow("userfaultfd");
        sender.Send("x"u8, context.Descriptor).OrThrow("sendmsg");
        var handles = new SafeFileHandle[1];
        Assert.Equal(1, receiver.Receive(new byte[1], handles, Deadline.NormalMs).OrThrow("recvmsg").Descriptors);
        using LinuxUserfaultfd received = LinuxUserfaultfd.FromDescriptor(handles[0]).OrThrow("fdinfo");
        Assert.Equal(UserfaultfdFeatures.None, received.Features);
        Assert.Equal(UserfaultfdOptions.CloseOnExec, received.Options);
        Assert.True(received.Handshake(UserfaultfdFeatures.None).IsOk);
        Assert.Equal(Errno.EINVAL, context.Handshake(UserfaultfdFeatures.None).Errno);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Receive_WithTooLittleRoom_SaysTruncatedAndLeaksNothing(int room)
    {
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket sender = first;
        using DescriptorSocket receiver = second;
        using LinuxEngine engine = new();

        // A file that only this case has open: other tests of the process open and close theirs meanwhile.
        string name = $"room-{room}-{Guid.NewGuid():N}";
        using var file = (LinuxMemoryFile)engine.CreateMemoryFile(new() { Name = name, Size = PageSize.Small }).OrThrow("memfd_create");
        SafeHandle descriptor = file.Descriptor;
        sender.Send("x"u8, descriptor, descriptor, descriptor, descriptor, descriptor, descriptor).OrThrow("sendmsg");
        var handles = new SafeFileHandle[room];
        ReceivedMessage received = receiver.Receive(new byte[1], handles, Deadline.NormalMs).OrThrow("recvmsg");
        Assert.True(received.IsTruncated);
        Assert.Equal(room, received.Descriptors);
        Assert.Equal(1 + room, LinksToFile());
        foreach (SafeFileHandle handle in handles)
        {
            handle.Dispose();
        }

        int LinksToFile()
        {
            int count = 0;
            foreach (string path in Directory.GetFiles("/proc/self/fd"))
            {
                string? target = new FileInfo(path).LinkTarget;
                count += target is not null && target.Contains(name, StringComparison.Ordinal) ? 1 : 0;
            }

            return count;
        }
    }

    [Fact]
    public void Send_OfMaximumDescriptors_AllArrive()
    {
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket sender = first;
        using DescriptorSocket receiver = second;
        using SafeFileHandle file = File.OpenHandle("/proc/self/status");
        var many = new SafeHandle[DescriptorSocket.MaximumDescriptors];
        Array.Fill(many, file);
        sender.Send("x"u8, many).OrThrow("sendmsg");
        var handles = new SafeFileHandle[DescriptorSocket.MaximumDescriptors];
        Assert.Equal(handles.Length, receiver.Receive(new byte[1], handles, Deadline.NormalMs).OrThrow("recvmsg").Descriptors);
        Assert.Equal(Errno.EINVAL, sender.Send("x"u8, [.. many, file]).Errno);
        Assert.Equal(Errno.EINVAL, sender.Send([]).Errno);
        foreach (SafeFileHandle handle in handles)
        {
            handle.Dispose();
        }
    }

    [Fact]
    public void Receive_OnDescriptors_MarksThemCloseOnExec()
    {
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket sender = first;
        using DescriptorSocket receiver = second;
        using SafeFileHandle file = File.OpenHandle("/proc/self/status");
        sender.Send("x"u8, file).OrThrow("sendmsg");
        var handles = new SafeFileHandle[1];
        _ = receiver.Receive(new byte[1], handles, Deadline.NormalMs).OrThrow("recvmsg");
        string info = File.ReadAllText($"/proc/self/fdinfo/{handles[0].DangerousGetHandle()}");
        handles[0].Dispose();
        int flags = Convert.ToInt32(info[(info.IndexOf("flags:", StringComparison.Ordinal) + 6)..].Split('\n')[0].Trim(), 8);
        Assert.NotEqual(0, flags & fcntl_h.O_CLOEXEC);
    }

    [Fact]
    public void Connect_ToListener_TellsPeerProcess()
    {
        string name = $"@faultline-test-{Environment.ProcessId}-{nameof(Connect_ToListener_TellsPeerProcess)}";
        using DescriptorSocket listener = DescriptorSocket.Listen(name).OrThrow("listen");
        using DescriptorSocket client = DescriptorSocket.Connect(name).OrThrow("connect");
        using DescriptorSocket server = listener.Accept(Deadline.NormalMs).OrThrow("accept");
        Assert.Equal(Environment.ProcessId, server.GetPeerProcessId().OrThrow("getsockopt"));
        Assert.Equal(Errno.ETIMEDOUT, listener.Accept(10).Errno);
        Assert.Equal(Errno.ETIMEDOUT, server.Receive(new byte[1], [], 10).Errno);
    }

    [Fact]
    public void Connect_WhereNobodyListens_AnswersError()
    {
        Assert.Equal(Errno.ENOENT, DescriptorSocket.Connect("/nowhere/at/all").Errno);
        Assert.Equal(Errno.EINVAL, DescriptorSocket.Connect(string.Empty).Errno);
        Assert.Equal(Errno.EINVAL, DescriptorSocket.Connect(new string('x', 108)).Errno);
    }

    [Fact]
    public void Send_AfterPeerClosed_AnswersEpipe()
    {
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket sender = first;
        second.Dispose();
        Assert.Equal(Errno.EPIPE, sender.Send("x"u8).Errno);
        Assert.Equal(0, sender.Receive(new byte[1], [], Deadline.NormalMs).OrThrow("recvmsg").Bytes);
        Assert.Equal(Errno.EBADF, second.Send("x"u8).Errno);
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_WhileReceiveWaits_EndsIt()
    {
        (DescriptorSocket first, DescriptorSocket second) = DescriptorSocket.CreatePair().OrThrow("socketpair");
        using DescriptorSocket other = first;
        using ManualResetEventSlim isRunning = new();
        Task<SystemResult<ReceivedMessage>> waiting = Task.Run(() =>
        {
            isRunning.Set();
            return second.Receive(new byte[1], []);
        });
        isRunning.Wait(TestContext.Current.CancellationToken);
        second.Dispose();
        SystemResult<ReceivedMessage> result = await waiting;
        Assert.True(result.Errno == Errno.EBADF || (result.IsOk && result.Value.Bytes == 0), $"{result}");
    }
}
