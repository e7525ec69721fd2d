using System;

namespace Faultline.Stores.Tests;

/// <summary>Names the store that a leaf of <see cref="StoreConformance"/> opens.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class ConformanceOfAttribute(Type store) : Attribute
{
    public Type Store { get; } = store;
}
