using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class EventRemoveOnManaged(ManagedEngineHost host) : EventRemoveConformance(host);
