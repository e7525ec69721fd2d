using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class ZeropageOnLinux(LinuxEngineHost host) : ZeropageConformance(host);
