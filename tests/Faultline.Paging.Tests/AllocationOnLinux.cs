using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class AllocationOnLinux() : AllocationTests(new LinuxEngine());
