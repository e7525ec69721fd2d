using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class CopyOnLinux(LinuxEngineHost host) : CopyConformance(host);
