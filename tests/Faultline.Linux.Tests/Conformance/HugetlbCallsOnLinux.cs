using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HugetlbCallsOnLinux(LinuxEngineHost host) : HugetlbCallsConformance(host);
