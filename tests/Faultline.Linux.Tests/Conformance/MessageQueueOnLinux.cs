using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class MessageQueueOnLinux(LinuxEngineHost host) : MessageQueueConformance(host);
