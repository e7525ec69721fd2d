using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class MoveOnManaged(ManagedEngineHost host) : MoveConformance(host);
