using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class RegistrationLifeOnManaged(ManagedEngineHost host) : RegistrationLifeConformance(host);
