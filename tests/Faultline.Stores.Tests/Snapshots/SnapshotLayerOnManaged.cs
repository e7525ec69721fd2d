using Faultline.Mm;

namespace Faultline.Stores.Tests;

public sealed class SnapshotLayerOnManaged() : SnapshotLayerTests(new ManagedEngine());
