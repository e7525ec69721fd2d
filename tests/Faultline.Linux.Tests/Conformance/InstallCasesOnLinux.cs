using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class InstallCasesOnLinux(LinuxEngineHost host) : InstallCasesConformance(host);
