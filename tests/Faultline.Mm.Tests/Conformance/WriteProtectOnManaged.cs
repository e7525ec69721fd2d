using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class WriteProtectOnManaged(ManagedEngineHost host) : WriteProtectConformance(host);
