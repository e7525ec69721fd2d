using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class ContinueOnLinux(LinuxEngineHost host) : ContinueConformance(host);
