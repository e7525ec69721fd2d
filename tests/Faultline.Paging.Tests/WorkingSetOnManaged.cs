using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class WorkingSetOnManaged() : WorkingSetTests(new ManagedEngine());
