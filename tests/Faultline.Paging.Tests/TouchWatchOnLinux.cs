using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class TouchWatchOnLinux() : TouchWatchTests(new LinuxEngine());
