using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class WakeOnLinux(LinuxEngineHost host) : WakeConformance(host);
