using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class DirtyTrackerOnLinux() : DirtyTrackerTests(new LinuxEngine());
