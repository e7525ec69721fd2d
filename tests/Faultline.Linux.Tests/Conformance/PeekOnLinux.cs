using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class PeekOnLinux(LinuxEngineHost host) : PeekConformance(host);
