using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class EventUnmapOnLinux(LinuxEngineHost host) : EventUnmapConformance(host);
