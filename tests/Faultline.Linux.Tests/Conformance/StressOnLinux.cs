using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class StressOnLinux(LinuxEngineHost host) : StressConformance(host);
