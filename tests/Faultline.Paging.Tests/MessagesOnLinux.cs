using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class MessagesOnLinux() : MessagesTests(new LinuxEngine());
