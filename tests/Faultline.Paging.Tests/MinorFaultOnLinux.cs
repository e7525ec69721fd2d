using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class MinorFaultOnLinux() : MinorFaultTests(new LinuxEngine());
