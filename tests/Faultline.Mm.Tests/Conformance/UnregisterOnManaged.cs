using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class UnregisterOnManaged(ManagedEngineHost host) : UnregisterConformance(host);
