using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class RegisterOnLinux(LinuxEngineHost host) : RegisterConformance(host);
