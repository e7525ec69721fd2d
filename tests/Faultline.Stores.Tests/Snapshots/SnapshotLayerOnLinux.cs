using Faultline.Linux;

namespace Faultline.Stores.Tests;

public sealed class SnapshotLayerOnLinux() : SnapshotLayerTests(new LinuxEngine());
