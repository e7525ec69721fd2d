using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class SnapshotOnManaged() : SnapshotTests(new ManagedEngine(new ManagedEngineOptions { HugePages = 32 }));
