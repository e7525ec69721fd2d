using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class FullDiskOnManaged() : FullDiskTests(new ManagedEngine());
