using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class EventRemapOnLinux(LinuxEngineHost host) : EventRemapConformance(host);
