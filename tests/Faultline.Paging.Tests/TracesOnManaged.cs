using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class TracesOnManaged() : TracesTests(new ManagedEngine());
