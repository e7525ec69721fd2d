using Faultline.Linux;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Alone, because what the whole process allocates is counted.</summary>
[Collection(AloneCollection.Name)]
public sealed class AllocationOnLinux() : AllocationTests(new LinuxEngine());
