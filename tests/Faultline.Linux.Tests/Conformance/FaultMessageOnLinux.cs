using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class FaultMessageOnLinux(LinuxEngineHost host) : FaultMessageConformance(host);
