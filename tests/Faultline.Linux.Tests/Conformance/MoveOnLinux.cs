using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class MoveOnLinux(LinuxEngineHost host) : MoveConformance(host);
