using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class CloseOnManaged(ManagedEngineHost host) : CloseConformance(host);
