using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class CollapseOnLinux(LinuxEngineHost host) : CollapseConformance(host);
