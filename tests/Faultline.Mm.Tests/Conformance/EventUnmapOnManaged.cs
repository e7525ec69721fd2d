using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class EventUnmapOnManaged(ManagedEngineHost host) : EventUnmapConformance(host);
