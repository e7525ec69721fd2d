using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class UnregisterOnLinux(LinuxEngineHost host) : UnregisterConformance(host);
