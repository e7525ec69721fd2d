using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class RegressionOnLinux(LinuxEngineHost host) : RegressionConformance(host);
