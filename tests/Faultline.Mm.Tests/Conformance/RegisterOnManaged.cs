using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class RegisterOnManaged(ManagedEngineHost host) : RegisterConformance(host);
