using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class SelftestOnManaged(ManagedEngineHost host) : SelftestConformance(host);
