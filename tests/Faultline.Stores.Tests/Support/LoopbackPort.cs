using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Faultline.Stores.Tests;

/// <summary>
/// Ports for the servers of tests, none twice in a process. Outgoing connections get theirs from 32768 on (ip(7), ip_local_port_range), so that nobody is given
/// one of these between the look and the use, or while a server is started anew.
/// </summary>
internal static class LoopbackPort
{
    private const int First = 20000;
    private const int Count = 12000;

    /// <summary>Processes begin apart, for several run tests at the same time.</summary>
    private const int Apart = 257;

    private static int _last = Environment.ProcessId * Apart;

    public static int Take()
    {
        for (int left = Count; ; left--)
        {
            int port = First + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using TcpListener probe = new(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && left > 1)
            {
                continue;
            }
        }
    }
}
