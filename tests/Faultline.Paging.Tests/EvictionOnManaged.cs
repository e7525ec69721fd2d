using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class EvictionOnManaged() : EvictionTests(new ManagedEngine());
