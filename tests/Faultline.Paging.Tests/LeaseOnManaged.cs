using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class LeaseOnManaged() : LeaseTests(new ManagedEngine());
