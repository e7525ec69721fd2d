using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class RemapOnLinux(LinuxEngineHost host) : RemapConformance(host);
