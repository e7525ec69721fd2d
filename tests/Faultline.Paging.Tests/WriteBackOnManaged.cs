using Faultline.Mm;

namespace Faultline.Paging.Tests;

public sealed class WriteBackOnManaged() : WriteBackTests(new ManagedEngine());
