using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class AsyncWriteProtectOnManaged(ManagedEngineHost host) : AsyncWriteProtectConformance(host);
