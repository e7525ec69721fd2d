using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Alone, for the pool is the machine's: another case that takes huge pages would be counted along.</summary>
[Collection(AloneCollection.Name)]
public sealed class HugetlbPoolOnLinux(LinuxEngineHost host) : HugetlbPoolConformance(host);
