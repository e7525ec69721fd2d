using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class CloseOnLinux(LinuxEngineHost host) : CloseConformance(host);
