using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class DisposeOnLinux() : DisposeTests(new LinuxEngine());
