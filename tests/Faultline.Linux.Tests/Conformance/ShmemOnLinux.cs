using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class ShmemOnLinux(LinuxEngineHost host) : ShmemConformance(host);
