using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class ShmemHugePageOnManaged(ManagedEngineHost host) : ShmemHugePageConformance(host);
