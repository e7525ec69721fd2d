using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class LeaseOnLinux() : LeaseTests(new LinuxEngine());
