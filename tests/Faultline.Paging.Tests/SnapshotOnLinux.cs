using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class SnapshotOnLinux() : SnapshotTests(new LinuxEngine());
