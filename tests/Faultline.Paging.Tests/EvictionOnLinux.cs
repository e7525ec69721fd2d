using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class EvictionOnLinux() : EvictionTests(new LinuxEngine());
