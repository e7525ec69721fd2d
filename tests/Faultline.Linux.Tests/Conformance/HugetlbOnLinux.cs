using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HugetlbOnLinux(LinuxEngineHost host) : HugetlbConformance(host);
