using System.Runtime.InteropServices;

namespace Faultline.Linux.Children;

/// <summary>One command of a stub thread; <c>Stub.S</c> names the same offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct StubCommand
{
    internal const int Size = 0x60;

    [FieldOffset(0x00)] public StubOperation Operation;
    [FieldOffset(0x08)] public long Number;
    [FieldOffset(0x10)] public nint A0;
    [FieldOffset(0x18)] public nint A1;
    [FieldOffset(0x20)] public nint A2;
    [FieldOffset(0x28)] public nint A3;
    [FieldOffset(0x30)] public nint A4;
    [FieldOffset(0x38)] public nint A5;

    /// <summary>What the operation answered; of a copy, the bytes copied, also when a fault cut it short.</summary>
    [FieldOffset(0x40)] public long Result;

    /// <summary>The signal that ended the access, or 0.</summary>
    [FieldOffset(0x48)] public int Signal;

    /// <summary>Its <c>si_code</c>.</summary>
    [FieldOffset(0x4c)] public int Code;

    /// <summary>Its <c>si_addr</c>.</summary>
    [FieldOffset(0x50)] public ulong Address;

    /// <summary>The processor's error code of the page fault.</summary>
    [FieldOffset(0x58)] public ulong ErrorCode;
}
