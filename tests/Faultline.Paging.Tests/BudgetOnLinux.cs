using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class BudgetOnLinux() : BudgetTests(new LinuxEngine());
