using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HugetlbFillOnLinux(LinuxEngineHost host) : HugetlbFillConformance(host);
