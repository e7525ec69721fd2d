using Faultline.Linux;

namespace Faultline.Paging.Tests;

public sealed class EventOnLinux() : EventTests(new LinuxEngine());
