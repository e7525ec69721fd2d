using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Tests during which no other test of this assembly may run.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
