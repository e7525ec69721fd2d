using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HandshakeOnLinux(LinuxEngineHost host) : HandshakeConformance(host);
