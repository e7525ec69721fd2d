using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class PeekOnManaged(ManagedEngineHost host) : PeekConformance(host);
