using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Faultline.Linux;
using Microsoft.Win32.SafeHandles;

namespace Faultline.PageServer;

/// <summary>
/// Sends and receives the messages of a handoff. Each is a header of twelve bytes (the letters FLPS, a version, a kind, the length of what follows), its
/// content, and at most one descriptor. Numbers are little-endian.
/// </summary>
internal sealed class FrameChannel(DescriptorSocket socket)
{
    /// <summary>The longest content: some hundred regions.</summary>
    public const int MaxContentBytes = 16 * 1024;

    private const uint Magic = 0x53504C46;
    private const ushort Version = 1;
    private const int HeaderBytes = 12;

    /// <summary>Sends one message.</summary>
    /// <exception cref="PageServerException">The other side is gone.</exception>
    public void Send(FrameKind kind, ReadOnlySpan<byte> content, SafeHandle? descriptor = null)
    {
        byte[] frame = new byte[HeaderBytes + content.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), (ushort)kind);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(8), content.Length);
        content.CopyTo(frame.AsSpan(HeaderBytes));
        SystemResult sent = descriptor is null ? socket.Send(frame) : socket.Send(frame, descriptor);
        if (!sent.IsOk)
        {
            throw new PageServerException($"The handoff ended: sending {kind} was answered with {sent.Errno}.");
        }
    }

    /// <summary>Receives one message.</summary>
    /// <param name="kind">What is expected.</param>
    /// <param name="timeoutMs">The longest wait for any part of it.</param>
    /// <param name="descriptor">The descriptor that came with it, or null. The caller's.</param>
    /// <returns>The content.</returns>
    /// <exception cref="PageServerException">Something else came, or nothing.</exception>
    public byte[] Receive(FrameKind kind, int timeoutMs, out SafeFileHandle? descriptor)
    {
        descriptor = null;
        Span<byte> header = stackalloc byte[HeaderBytes];
        Fill(header, kind, timeoutMs, ref descriptor);
        int length = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(header[4..]) != Version
            || BinaryPrimitives.ReadUInt16LittleEndian(header[6..]) != (ushort)kind
            || length is < 0 or > MaxContentBytes)
        {
            descriptor?.Dispose();
            throw new PageServerException($"The other side does not speak version {Version} of the page server's protocol: {kind} was expected.");
        }

        byte[] content = new byte[length];
        Fill(content, kind, timeoutMs, ref descriptor);
        return content;
    }

    private void Fill(Span<byte> target, FrameKind kind, int timeoutMs, ref SafeFileHandle? descriptor)
    {
        var descriptors = new SafeFileHandle[1];
        while (!target.IsEmpty)
        {
            SystemResult<ReceivedMessage> received = socket.Receive(target, descriptors, timeoutMs);
            if (received.IsOk && received.Value.Descriptors > 0)
            {
                descriptor?.Dispose();
                descriptor = descriptors[0];
            }

            if (!received.IsOk || received.Value.Bytes == 0)
            {
                descriptor?.Dispose();
                string reason = received.Errno switch
                {
                    Errno.None => "the other side closed the connection",
                    Errno.ETIMEDOUT => $"nothing came for {timeoutMs / 1000} seconds",
                    _ => $"the socket answered {received.Errno}",
                };
                throw new PageServerException($"The handoff ended while {kind} was awaited: {reason}.");
            }

            target = target[received.Value.Bytes..];
        }
    }
}
