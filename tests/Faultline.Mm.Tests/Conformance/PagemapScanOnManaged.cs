using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class PagemapScanOnManaged(ManagedEngineHost host) : PagemapScanConformance(host);
