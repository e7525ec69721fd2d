using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class EventRemoveOnLinux(LinuxEngineHost host) : EventRemoveConformance(host);
