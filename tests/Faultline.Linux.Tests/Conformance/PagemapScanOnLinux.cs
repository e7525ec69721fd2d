using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class PagemapScanOnLinux(LinuxEngineHost host) : PagemapScanConformance(host);
