using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class LayerOnManaged() : LayerTests(new ManagedEngine(new ManagedEngineOptions { HugePages = 32 }));
