using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class FullDiskOnLinux() : FullDiskTests(new LinuxEngine());
