using Faultline.Linux;
using Xunit;

namespace Faultline.Paging.Tests;

[Collection(AloneCollection.Name)]
public sealed class ChaosOnLinux() : ChaosTests(new LinuxEngine());
