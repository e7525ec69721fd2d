using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class OutcomeOnManaged() : OutcomeTests(new ManagedEngine());
