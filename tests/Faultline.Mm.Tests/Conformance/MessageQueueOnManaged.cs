using Faultline.Conformance;

namespace Faultline.Mm.Tests;

public sealed class MessageQueueOnManaged(ManagedEngineHost host) : MessageQueueConformance(host);
