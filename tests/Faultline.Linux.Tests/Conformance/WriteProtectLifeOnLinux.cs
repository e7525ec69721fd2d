using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class WriteProtectLifeOnLinux(LinuxEngineHost host) : WriteProtectLifeConformance(host);
