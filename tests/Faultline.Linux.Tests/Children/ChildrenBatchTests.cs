using System;
using Faultline.Linux.Children;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>The stub's commands, several at a time, and what its signals mean.</summary>
public sealed unsafe class ChildrenBatchTests : IDisposable
{
    private const int Mmap = 9;
    private const int ReadWrite = 3;
    private const int PrivateAnonymousFixed = 0x32;
    private const long Somewhere = 0x3000_0000_0000;

    private readonly ChildNursery _nursery = ChildNursery.Acquire();
    private readonly ChildProcess _process;

    public ChildrenBatchTests()
    {
        Assert.SkipUnless(ChildNursery.Capability.IsAvailable, ChildNursery.Capability.Reason);
        _process = _nursery.Create().OrThrow("clone");
    }

    public void Dispose()
    {
        _process.Dispose();
        _nursery.Release();
    }

    [Fact]
    public void Run_FaultInTheMiddle_OthersAreExecuted()
    {
        StubThread thread = _process.First;
        thread.SetCall(0, Mmap, unchecked((nint)Somewhere), 4096, ReadWrite, PrivateAnonymousFixed, -1);
        Set(thread, 1, StubOperation.Store, Somewhere + 8, 77);
        Set(thread, 2, StubOperation.Load, Somewhere + 4096, 0);
        Set(thread, 3, StubOperation.Copy, (long)thread.Buffer, Somewhere, 16);
        Set(thread, 4, (StubOperation)99, 0, 0);
        Set(thread, 5, StubOperation.Load, Somewhere + 8, 0);
        Assert.True(thread.Run(6));
        Assert.Equal(Somewhere, thread.Command(0).Result);
        Assert.Equal(0, thread.Command(1).Signal);
        Assert.Equal(AccessFault.NotMapped, ChildSignals.Fault(in thread.Command(2)));
        Assert.Equal((ulong)Somewhere + 4096, thread.Command(2).Address);
        Assert.Equal(16, thread.Command(3).Result);
        Assert.Equal(77UL, ((ulong*)thread.Buffer)[1]);
        Assert.Equal(-38, thread.Command(4).Result);
        Assert.Equal(77, thread.Command(5).Result);
    }

    [Fact]
    public void Run_AsManyAsFit_AllAreExecuted()
    {
        StubThread thread = _process.First;
        for (int i = 0; i < StubBlock.MaximumCommands; i++)
        {
            Set(thread, i, StubOperation.Copy, (long)thread.Buffer, (long)thread.Buffer, i);
        }

        Assert.True(thread.Run(StubBlock.MaximumCommands));
        for (int i = 0; i < StubBlock.MaximumCommands; i++)
        {
            Assert.Equal(i, thread.Command(i).Result);
        }
    }

    [Theory]
    [InlineData(0, 0, AccessFault.None)]
    [InlineData(11, 1, AccessFault.NotMapped)]
    [InlineData(11, 2, AccessFault.Protection)]
    [InlineData(11, 4, AccessFault.Protection)]
    [InlineData(11, 128, AccessFault.NotMapped)]
    [InlineData(7, 2, AccessFault.BusError)]
    [InlineData(7, 4, AccessFault.HardwarePoison)]
    [InlineData(7, 5, AccessFault.HardwarePoison)]
    [InlineData(10, 0, AccessFault.Killed)]
    public void Fault_SignalAndCode_IsNamed(int signal, int code, AccessFault expected)
    {
        StubCommand command = new() { Signal = signal, Code = code };
        Assert.Equal(expected, ChildSignals.Fault(in command));
    }

    private static void Set(StubThread thread, int index, StubOperation operation, long a0, long a1, long a2 = 0)
    {
        ref StubCommand command = ref thread.Command(index);
        command.Operation = operation;
        command.A0 = (nint)a0;
        command.A1 = (nint)a1;
        command.A2 = (nint)a2;
    }
}
