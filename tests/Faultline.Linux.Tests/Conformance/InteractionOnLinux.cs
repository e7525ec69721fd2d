using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class InteractionOnLinux(LinuxEngineHost host) : InteractionConformance(host);
