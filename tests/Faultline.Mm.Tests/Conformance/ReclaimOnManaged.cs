using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class ReclaimOnManaged(ManagedEngineHost host) : ReclaimConformance(host);
