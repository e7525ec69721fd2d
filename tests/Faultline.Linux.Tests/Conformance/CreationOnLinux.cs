using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class CreationOnLinux(LinuxEngineHost host) : CreationConformance(host);
