using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class JoinOnLinux() : JoinTests(new LinuxEngine());
