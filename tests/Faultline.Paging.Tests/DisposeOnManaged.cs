using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class DisposeOnManaged() : DisposeTests(new ManagedEngine());
