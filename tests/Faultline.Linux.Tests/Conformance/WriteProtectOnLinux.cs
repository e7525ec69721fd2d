using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class WriteProtectOnLinux(LinuxEngineHost host) : WriteProtectConformance(host);
