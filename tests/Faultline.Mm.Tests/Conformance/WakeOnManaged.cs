using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class WakeOnManaged(ManagedEngineHost host) : WakeConformance(host);
