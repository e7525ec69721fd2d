using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class ShmemHugePageOnLinux(LinuxEngineHost host) : ShmemHugePageConformance(host);
