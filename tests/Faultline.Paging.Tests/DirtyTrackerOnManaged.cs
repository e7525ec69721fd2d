using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class DirtyTrackerOnManaged() : DirtyTrackerTests(new ManagedEngine(new ManagedEngineOptions { HugePages = 32 }));
