using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class WriteProtectLifeOnManaged(ManagedEngineHost host) : WriteProtectLifeConformance(host);
