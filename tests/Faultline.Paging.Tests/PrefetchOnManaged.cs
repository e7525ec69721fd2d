using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class PrefetchOnManaged() : PrefetchTests(new ManagedEngine());
