using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HugePageOnLinux(LinuxEngineHost host) : HugePageConformance(host);
