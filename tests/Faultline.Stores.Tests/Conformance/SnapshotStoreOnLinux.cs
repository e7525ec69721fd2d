using Faultline.Linux;

namespace Faultline.Stores.Tests;

[ConformanceOf(typeof(Paging.MemorySnapshot))]
public sealed class SnapshotStoreOnLinux() : SnapshotStoreConformance(new LinuxEngine());
