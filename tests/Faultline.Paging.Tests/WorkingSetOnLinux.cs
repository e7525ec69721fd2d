using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class WorkingSetOnLinux() : WorkingSetTests(new LinuxEngine());
