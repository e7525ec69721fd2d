using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class CollapseOnManaged(ManagedEngineHost host) : CollapseConformance(host);
