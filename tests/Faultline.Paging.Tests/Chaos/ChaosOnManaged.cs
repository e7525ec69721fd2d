using Faultline.Mm;
using Xunit;

namespace Faultline.Paging.Tests;

[Collection(AloneCollection.Name)]
public sealed class ChaosOnManaged() : ChaosTests(new ManagedEngine());
