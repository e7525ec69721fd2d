using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class EventForkOnLinux(LinuxEngineHost host) : EventForkConformance(host);
