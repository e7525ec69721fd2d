using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class BudgetOnManaged() : BudgetTests(new ManagedEngine());
