using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class RegressionRaceOnLinux(LinuxEngineHost host) : RegressionRaceConformance(host);
