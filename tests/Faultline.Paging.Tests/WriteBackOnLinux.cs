using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class WriteBackOnLinux() : WriteBackTests(new LinuxEngine());
