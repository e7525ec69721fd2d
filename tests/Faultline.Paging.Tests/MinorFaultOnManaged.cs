using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class MinorFaultOnManaged() : MinorFaultTests(new ManagedEngine(new ManagedEngineOptions { HugePages = 4 }));
