using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HugeUserfaultfdOnManaged(ManagedEngineHost host) : HugeUserfaultfdConformance(host);
