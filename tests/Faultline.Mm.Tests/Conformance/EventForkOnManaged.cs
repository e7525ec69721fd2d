using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class EventForkOnManaged(ManagedEngineHost host) : EventForkConformance(host);
