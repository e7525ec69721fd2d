using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class PoisonOnManaged(ManagedEngineHost host) : PoisonConformance(host);
