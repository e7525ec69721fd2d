using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class InstallCasesOnManaged(ManagedEngineHost host) : InstallCasesConformance(host);
