using System;
using System.Linq;
using System.Reflection;
using Faultline.Paging;
using Faultline.S3;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>No store is without a leaf of the suite.</summary>
public sealed class EveryStoreTests
{
    [Fact]
    public void Stores_OfAllLibraries_AreHeldToTheSuite()
    {
        Type[] leaves = [.. typeof(EveryStoreTests).Assembly.GetTypes().Where(static type => !type.IsAbstract && type.IsSubclassOf(typeof(StoreConformance)))];
        Assert.All(leaves, static leaf => Assert.NotNull(leaf.GetCustomAttribute<ConformanceOfAttribute>()));
        Assembly[] libraries = [typeof(IPageStore).Assembly, typeof(HttpPageStore).Assembly, typeof(S3PageStore).Assembly];
        string[] stores = [.. libraries
            .SelectMany(static library => library.GetExportedTypes())
            .Where(static type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(IPageStore)))
            .Select(static type => type.Name)
            .Order(StringComparer.Ordinal),
        ];
        string[] held = [.. leaves
            .Select(static leaf => leaf.GetCustomAttribute<ConformanceOfAttribute>()!.Store.Name)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(stores, Array.FindAll(held, name => Array.IndexOf(stores, name) >= 0));
    }
}
