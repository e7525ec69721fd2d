using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class PoisonOnLinux(LinuxEngineHost host) : PoisonConformance(host);
