using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class EventRemapOnManaged(ManagedEngineHost host) : EventRemapConformance(host);
