using Faultline.Mm;

namespace Faultline.Stores.Tests;

[ConformanceOf(typeof(Paging.MemorySnapshot))]
public sealed class SnapshotStoreOnManaged() : SnapshotStoreConformance(new ManagedEngine());
