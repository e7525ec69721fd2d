using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class CopyOnManaged(ManagedEngineHost host) : CopyConformance(host);
