using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class SignalOnLinux(LinuxEngineHost host) : SignalConformance(host);
