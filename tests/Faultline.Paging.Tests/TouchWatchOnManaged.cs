using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class TouchWatchOnManaged() : TouchWatchTests(new ManagedEngine());
