using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class MetricsOnManaged() : MetricsTests(new ManagedEngine());
