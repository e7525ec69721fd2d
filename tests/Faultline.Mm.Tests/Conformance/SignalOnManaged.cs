using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class SignalOnManaged(ManagedEngineHost host) : SignalConformance(host);
