using System;
using System.Collections.Generic;
using System.Globalization;
using Xunit.v3;

namespace Faultline.Conformance;

/// <summary>The row of docs/regressions.md (section 13 of the reference) that a case holds the engine to; a trait to filter by.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RegressionAttribute : Attribute, ITraitAttribute
{
    /// <summary>Names the row.</summary>
    public RegressionAttribute(int row)
    {
        Row = row;
    }

    /// <summary>The row, from 1 on.</summary>
    public int Row { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Regression", Row.ToString(CultureInfo.InvariantCulture))];
}
