using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugePageOnManaged(ManagedEngineHost host) : HugePageConformance(host);
