using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class HandshakeOnManaged(ManagedEngineHost host) : HandshakeConformance(host);
