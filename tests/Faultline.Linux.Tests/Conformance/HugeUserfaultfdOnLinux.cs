using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class HugeUserfaultfdOnLinux(LinuxEngineHost host) : HugeUserfaultfdConformance(host);
