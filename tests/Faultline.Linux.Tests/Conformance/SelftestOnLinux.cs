using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class SelftestOnLinux(LinuxEngineHost host) : SelftestConformance(host);
