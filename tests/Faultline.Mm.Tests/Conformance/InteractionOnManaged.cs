using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class InteractionOnManaged(ManagedEngineHost host) : InteractionConformance(host);
