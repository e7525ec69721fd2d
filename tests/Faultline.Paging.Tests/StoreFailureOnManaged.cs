using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class StoreFailureOnManaged() : StoreFailureTests(new ManagedEngine());
