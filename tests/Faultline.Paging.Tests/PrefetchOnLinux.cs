using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class PrefetchOnLinux() : PrefetchTests(new LinuxEngine());
