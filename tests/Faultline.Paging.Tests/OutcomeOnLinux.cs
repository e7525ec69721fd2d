using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class OutcomeOnLinux() : OutcomeTests(new LinuxEngine());
