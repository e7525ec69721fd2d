using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class MetricsOnLinux() : MetricsTests(new LinuxEngine());
