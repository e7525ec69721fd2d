using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class TracesOnLinux() : TracesTests(new LinuxEngine());
