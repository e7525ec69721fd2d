using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class ReclaimOnLinux(LinuxEngineHost host) : ReclaimConformance(host);
