using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HugetlbFileOnLinux(LinuxEngineHost host) : HugetlbFileConformance(host);
