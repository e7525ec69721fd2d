using Faultline.Conformance;

namespace Faultline.Linux.Tests;

public sealed class AsyncWriteProtectOnLinux(LinuxEngineHost host) : AsyncWriteProtectConformance(host);
