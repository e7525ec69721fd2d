using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class StoreFailureOnLinux() : StoreFailureTests(new LinuxEngine());
