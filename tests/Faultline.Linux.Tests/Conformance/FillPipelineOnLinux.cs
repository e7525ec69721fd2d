using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class FillPipelineOnLinux(LinuxEngineHost host) : FillPipelineConformance(host);
